/** What the driver wrote into the kernel's log since the machine was started. */
import { uptime } from 'node:os';
import { readXid, type SeenXid } from '../gpu/xid.ts';
import { readKernelLog } from './kernel-log.ts';

/** Oldest first; null: the log may not be read here. */
export async function readXidsOfBoot(): Promise<readonly SeenXid[] | null> {
  const uptimeMs = uptime() * 1_000;
  return readKernelLog(({ atUs, message }) => {
    const xid = readXid(message);
    return xid === null ? null : { ...xid, ageMs: atUs === null ? null : Math.max(0, uptimeMs - atUs / 1_000) };
  });
}
