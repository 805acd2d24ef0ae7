/** Errors of the system that pass by themselves: a launch that fails for want of something is tried again. */

/** Room, and what a crowded machine runs out of. Source: errno(3), open(2), fork(2). */
const SHORTAGES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/** How long a launch waits before it is tried again; it costs little, and nothing trains meanwhile. */
export const LAUNCH_RETRY_MS = 5_000;

export function isShortage(errno: string | null): boolean {
  return errno !== null && SHORTAGES.has(errno);
}

/** Words of programs in many languages for a disk that is full; the last are those of Node for EDQUOT on Linux. */
const FULL_DISK = /\b(ENOSPC|EDQUOT)\b|No space left on device|Disk quota exceeded|Unknown system error -122\b/i;

/** True when the last words of a worker tell of a full disk. */
export function tellsOfFullDisk(lines: readonly string[]): boolean {
  return lines.some((line) => FULL_DISK.test(line));
}
