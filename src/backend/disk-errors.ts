/** A disk that refuses is no defect of ours: it is told with its folder and the cure. */
import { errnoOf, messageOf, NkatError } from '../errors.ts';

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
const WHY: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its disk is read-only',
  ENOTDIR: 'it lies below something that is no folder',
};

/**
 * @param folder that is named where the system names no path
 * @throws NkatError `no-space` and `io` for what the system refuses; else what `work` throws
 */
export async function tellingDiskErrors<T>(operation: string, folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const errno = errnoOf(error);
    // A refusal of the system has a call that was refused.
    if (errno === null || !(error instanceof Error) || !('syscall' in error)) throw error;
    const path = 'path' in error && typeof error.path === 'string' ? error.path : folder;
    if (FULL.has(errno)) {
      throw new NkatError(`the disk is full: ${messageOf(error)}`, { code: 'no-space', operation, path, cause: error });
    }
    const hint = 'Let NKAT_HOME name a folder that this user may write to.';
    const cause = error;
    throw new NkatError(WHY[errno] ?? messageOf(error), { code: 'io', operation, path, hint, cause });
  }
}
