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
 * @param folder that is named: what the system refused may be a name of no meaning within it
 * @throws NkatError `no-space` and `io` for what the system refuses; else what `work` throws
 */
export async function tellingDiskErrors<T>(operation: string, folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const refusal = refusalOfSystem(error);
    if (refusal === null) throw error;
    const errno = errnoOf(refusal) ?? '';
    const details = { operation, path: folder, cause: error };
    if (FULL.has(errno))
      throw new NkatError(`the disk is full: ${messageOf(refusal)}`, { ...details, code: 'no-space' });
    const hint = 'Let NKAT_HOME name a folder that this user may write to.';
    throw new NkatError(WHY[errno] ?? messageOf(refusal), { ...details, code: 'io', hint });
  }
}

/** Also where the lock, which is a claim as sessions have them, has told it in the words of sessions. */
function refusalOfSystem(error: unknown): Error | null {
  if (error instanceof NkatError) return error.cause === undefined ? null : refusalOfSystem(error.cause);
  // A refusal of the system has a call that was refused.
  return error instanceof Error && errnoOf(error) !== null && 'syscall' in error ? error : null;
}
