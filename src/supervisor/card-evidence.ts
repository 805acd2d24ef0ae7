/** Errors of the worker's cards that the driver wrote into the kernel's log since its launch. */
import { readXid, sameBus, type XidMessage } from '../gpu/xid.ts';
import { readKernelLog } from './kernel-log.ts';

/** The log's clock runs apart from ours by some parts in a million. */
const DRIFT = 1e-5;
const LEAST_SLACK_US = 2_000_000;

/** @param sinceUs since boot; @param buses of the cards; where none is known every card counts */
export async function readCardXids(sinceUs: number, buses: readonly string[]): Promise<readonly XidMessage[]> {
  const fromUs = sinceUs - Math.max(LEAST_SLACK_US, sinceUs * DRIFT);
  const found = await readKernelLog(({ atUs, message }) => (atUs === null || atUs >= fromUs ? readXid(message) : null));
  return (found ?? []).filter(({ busId }) => buses.length === 0 || buses.some((bus) => sameBus(bus, busId)));
}
