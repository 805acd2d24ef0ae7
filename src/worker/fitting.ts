/** A checkpoint that does not fit the trainer will not fit at the next launch either: the end that follows says so. */
import { NkatError } from '../errors.ts';
import { type Ending, EXIT_CONFIGURATION } from './ending.ts';
import type { Warnings } from './warnings.ts';

export interface FittingOptions {
  readonly ending: Ending;
  readonly warnings: Warnings;
}

/**
 * Does `work`; where it is refused because state or data do not fit the checkpoint, tells why and sets the exit code
 * with which the process ends unless the trainer catches the error.
 */
export function fitting<T>({ ending, warnings }: FittingOptions, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof NkatError && error.code === 'state-mismatch') {
      ending.refusedWith(EXIT_CONFIGURATION);
      warnings.say(`${error.message}. ${error.hint ?? ''}`.trim(), 'error');
    }
    throw error;
  }
}
