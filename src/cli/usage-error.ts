/** What is wrong with the command line itself. */
import { NkatError } from '../errors.ts';

/** Without a hint of its own it names the command's `--help`. */
export function usageError(message: string, hint?: string): NkatError {
  return new NkatError(message, {
    code: 'usage',
    operation: 'read the command line',
    ...(hint !== undefined && { hint }),
  });
}
