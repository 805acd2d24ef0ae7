/** The faults that the system can be made to have: which call, which error, and what each of them must lead to. */

/** What a commit does: the commit itself up to its acknowledgement, or what follows it (read back, copy the best, rotate). */
export type Act = 'commit' | 'settle';

export interface FaultyCall {
  readonly name: string;
  /** As strace names it, on every machine. */
  readonly syscalls: string;
}

/** Those that change what is on the disk, or when it is there, and the opening of files. */
export const CALLS: readonly FaultyCall[] = [
  { name: 'fsync', syscalls: 'fsync,fdatasync' },
  { name: 'rename', syscalls: '/^rename' },
  { name: 'write', syscalls: 'pwrite64,pwritev' },
  { name: 'unlink', syscalls: '/^(unlink|rmdir)' },
  { name: 'mkdir', syscalls: '/^mkdir' },
  { name: 'truncate', syscalls: 'ftruncate' },
  { name: 'link', syscalls: '/^(link|symlink)(at)?$' },
  { name: 'open', syscalls: 'openat' },
];

/** `KILL`: the process dies as it makes the call. */
export const ERRORS = ['EIO', 'ENOSPC', 'EINTR', 'KILL'] as const;
export type FaultError = (typeof ERRORS)[number];

export interface Fault {
  readonly call: FaultyCall;
  readonly error: FaultError;
  /** From 1. */
  readonly nth: number;
}

/** The code that a save which met the error is told with. */
export function codeOf(error: FaultError): string {
  return error === 'ENOSPC' ? 'no-space' : 'io';
}

/**
 * Whether what met this error must not be acknowledged, by the line that strace wrote of it. Everything that makes the
 * checkpoint durable; not the cleaning up, nor the link for people, nor a look at what others left.
 */
export function forbidsAcknowledgement(line: string): boolean {
  if (/^(fsync|fdatasync|pwrite|ftruncate|mkdir)/.test(line)) return true;
  if (line.startsWith('rename')) return line.includes('/.staging/');
  // Opened to be made, or to be synced.
  if (line.startsWith('openat')) return line.includes('O_CREAT') || /O_RDONLY\|O_CLOEXEC\|O_DIRECTORY/.test(line);
  return false;
}
