/** Turns the system's errors into the project's, where an operation of the store cannot go on. */
import { errnoOf, NkatError } from '../errors.ts';

/**
 * True when nothing can be written for now although nothing is broken: the disk or a quota is full, or the file system
 * was made read-only (as ext4 makes itself after errors).
 */
export function takesNoWrites(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOSPC' || errno === 'EDQUOT' || errno === 'EROFS';
}

/** `no-space` or `io` for a system error; an `NkatError` passes unchanged. */
export function storeError(error: unknown, operation: string, path: string): NkatError {
  if (error instanceof NkatError) return error;
  const why = error instanceof Error ? error.message : String(error);
  if (takesNoWrites(error)) {
    const readOnly = errnoOf(error) === 'EROFS';
    return new NkatError(`${readOnly ? 'The disk is read-only' : 'No space left'}: ${why}`, {
      code: 'no-space',
      operation,
      path,
      hint: readOnly
        ? 'See dmesg why it became read-only, mount it for writing again, or choose another with --dir.'
        : 'Free some space on that disk, or choose another with --dir.',
      cause: error,
    });
  }
  return new NkatError(why, { code: 'io', operation, path, cause: error });
}

/** Runs one operation of the store; what fails is thrown as `no-space` or `io`. */
export async function guarded<T>(operation: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeError(error, operation, path);
  }
}
