/** A call that the trainer must not make so, or not now. */
import { NkatError } from '../errors.ts';

export function usage(message: string, operation: string): NkatError {
  return new NkatError(message, { code: 'usage', operation });
}
