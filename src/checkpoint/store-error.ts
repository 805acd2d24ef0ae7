/** Turns the system's errors into the project's, where an operation of the store cannot go on. */
import { errnoOf, messageOf, NkatError } from '../errors.ts';

/**
 * True when nothing can be written for now although nothing is broken: the disk or a quota is full, or the file system
 * was made read-only (as ext4 makes itself after errors).
 */
export function takesNoWrites(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOSPC' || errno === 'EDQUOT' || errno === 'EROFS';
}

/** What helps where a save finds no room. */
export const NO_ROOM_HINT =
  'Free some space on that disk (df -h, df -i), keep fewer with --keep or NKAT_KEEP, or store elsewhere with --dir or NKAT_DIR.';

const FULL = { words: 'No space left', hint: NO_ROOM_HINT };

const NO_WRITES: Readonly<Record<string, typeof FULL>> = {
  EDQUOT: {
    words: 'The quota is full',
    hint: 'Free some space within your quota (quota -s), keep fewer with --keep or NKAT_KEEP, or store elsewhere with --dir or NKAT_DIR.',
  },
  EROFS: {
    words: 'The disk is read-only',
    hint: 'See dmesg why it became read-only, mount it for writing again, or store elsewhere with --dir or NKAT_DIR.',
  },
};

/** `no-space` or `io` for a system error, `internal` for a mistake of the program; an `NkatError` passes unchanged. */
export function storeError(error: unknown, operation: string, path: string): NkatError {
  if (error instanceof NkatError) return error;
  const why = messageOf(error);
  // No disk answers so, and nobody should look for one that is broken.
  if (error instanceof TypeError || error instanceof ReferenceError) {
    return new NkatError(`an error of nkat-recover itself: ${why}`, {
      code: 'internal',
      operation,
      path,
      cause: error,
    });
  }
  if (takesNoWrites(error)) {
    const { words, hint } = NO_WRITES[errnoOf(error) ?? ''] ?? FULL;
    return new NkatError(`${words}: ${why}`, { code: 'no-space', operation, path, hint, cause: error });
  }
  return new NkatError(why, { code: 'io', operation, path, cause: error });
}

/** Runs one operation of the store; what fails is thrown as `no-space`, `io` or `internal`. */
export async function guarded<T>(operation: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeError(error, operation, path);
  }
}
