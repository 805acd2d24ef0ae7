/** Turns the system's errors into the project's, where an operation of the store cannot go on. */
import { errnoOf, NkatError } from '../errors.ts';

/** True when there is no room: disk, quota. */
export function isNoSpace(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOSPC' || errno === 'EDQUOT';
}

/** `no-space` or `io` for a system error; an `NkatError` passes unchanged. */
export function storeError(error: unknown, operation: string, path: string): NkatError {
  if (error instanceof NkatError) return error;
  const why = error instanceof Error ? error.message : String(error);
  if (isNoSpace(error)) {
    return new NkatError(`No space left: ${why}`, {
      code: 'no-space',
      operation,
      path,
      hint: 'Free some space on that disk, or choose another with --dir.',
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
