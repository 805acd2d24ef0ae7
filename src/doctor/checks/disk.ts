/** Room and speed of the disks that checkpoints go to, and whether they may be written at all. */
import { aboutBytes } from '../../units.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';

export interface PlaceFacts {
  /** The folder that was asked about. */
  readonly directory: string;
  /** Number of the file system. */
  readonly device: number;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Null: there was no room to measure it, or another folder of this file system was measured before. */
  readonly bytesPerSecond: number | null;
  /** Time until a small write is on the disk; null: not measured. */
  readonly syncMs: number | null;
  readonly isNetwork: boolean;
}

export type PlaceAnswer =
  | { readonly kind: 'facts'; readonly facts: PlaceFacts }
  /** A refusal of the system, such as `EROFS: read-only file system`. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'silent'; readonly forMs: number };

/** A checkpoint and the room that a save wants beside it fit seldom into less. */
const FEW_BYTES = 1024 ** 3;
const LOW_BYTES = 10 * 1024 ** 3;
/** Below that a checkpoint of 1 GiB takes longer than 20 s. */
const SLOW_BYTES_PER_SECOND = 50e6;
const SLOW_SYNC_MS = 200;

/** @param what for what the folder is: "checkpoints" */
export function checkDisk(what: string, directory: string, answer: PlaceAnswer): Finding[] {
  const place = `${directory} (${what})`;
  if (answer.kind === 'silent') {
    const words = `${place} does not answer for ${Math.round(answer.forMs / 1000)} s: the disk hangs.`;
    return [problem('disk', words, 'Look at `dmesg` and at the mount (mount, df); a network disk may be gone.')];
  }
  if (answer.kind === 'refused') {
    const words = `${place} cannot be written: ${answer.reason}.`;
    return [problem('disk', words, 'Give yourself the right to write there, or choose another place with --dir.')];
  }
  return [...checkRoom(place, answer.facts), ...checkSpeed(place, answer.facts)];
}

function checkRoom(place: string, { freeBytes, totalBytes }: PlaceFacts): Finding[] {
  const words = `${place} has ${aboutBytes(freeBytes)} free of ${aboutBytes(totalBytes)}`;
  const mend = 'nkat-recover prune --all --dry-run shows what old sessions hold; or another place: --dir <folder>';
  if (freeBytes < FEW_BYTES) return [problem('disk-space', `${words}: saves will fail.`, mend)];
  if (freeBytes < LOW_BYTES) return [warning('disk-space', `${words}.`, mend)];
  return [ok('disk-space', words)];
}

function checkSpeed(place: string, { bytesPerSecond, syncMs, isNetwork }: PlaceFacts): Finding[] {
  const kind = isNetwork ? ' over the network' : '';
  if (bytesPerSecond === null) return [];
  const rate = `${place} takes ${aboutBytes(bytesPerSecond)}/s${kind}`;
  const mend = 'Choose a faster disk with --dir, or save less often with --save-every.';
  const sync = syncMs === null ? '' : `, a small write is safe after ${Math.round(syncMs)} ms`;
  if (bytesPerSecond < SLOW_BYTES_PER_SECOND) {
    const seconds = Math.round(1024 ** 3 / bytesPerSecond);
    return [warning('disk-speed', `${rate}: a checkpoint of 1 GiB takes ${seconds} s.`, mend)];
  }
  if (syncMs !== null && syncMs > SLOW_SYNC_MS) return [warning('disk-speed', `${rate}${sync}.`, mend)];
  return [ok('disk-speed', `${rate}${sync}`)];
}
