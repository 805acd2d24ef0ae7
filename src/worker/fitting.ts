/** A checkpoint that does not fit the trainer will not fit at the next launch either: the end that follows says so. */
import { NkatError } from '../errors.ts';
import type { ResumePoint } from '../protocol/messages.ts';
import { type Ending, EXIT_CONFIGURATION } from './ending.ts';

/**
 * Does `work`; where it is refused because state or data do not fit the checkpoint, the process ends in words with the exit code of a
 * wrong configuration, unless the trainer catches the error.
 *
 * @param checkpoint that is put back; null: its place is in the words already
 */
export function fitting<T>(ending: Ending, checkpoint: ResumePoint | null, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof NkatError && error.code === 'state-mismatch') {
      ending.refusedWith(EXIT_CONFIGURATION, error, checkpoint === null ? undefined : wordsOf(error, checkpoint));
    }
    throw error;
  }
}

function wordsOf({ message, hint }: NkatError, { sequence, step, path }: ResumePoint): string {
  const words = `${message} (checkpoint ${sequence} of step ${step}, ${path})`;
  return hint === undefined ? words : `${words}. ${hint}`;
}
