/** A trainer that runs alone and may not train: the error as data, and exit codes like those of `nkat-recover`. */
import { storeError } from '../../checkpoint/store-error.ts';
import { type ErrorCode, errnoOf, messageOf, NkatError } from '../../errors.ts';
import type { Refusal, ToLoop } from './messages.ts';

/**
 * The end of a process that may not train. What the system refused (no room, no rights) is about the store; an error
 * that it does not know is a bug.
 * @param path where the session is to be
 */
export function refusedBy(thrown: unknown, path: string): Extract<ToLoop, { type: 'exit' }> {
  const error = errnoOf(thrown) === null ? thrown : storeError(thrown, OPERATION, path);
  const refusal: Refusal =
    error instanceof NkatError
      ? { code: error.code, operation: error.operation, path: error.path ?? null, hint: error.hint ?? null }
      : { code: 'internal', operation: OPERATION, path: null, hint: null };
  return { type: 'exit', code: refusalExitCode(refusal.code), message: messageOf(error), refusal };
}

const OPERATION = 'open the session';

function refusalExitCode(code: ErrorCode): number {
  switch (code) {
    case 'no-verified-checkpoint':
    case 'checkpoint-damaged':
      return 65;
    case 'session-held':
    case 'fenced':
      return 73;
    case 'io':
    case 'no-space':
    case 'store-missing':
    case 'checkpoint-unreadable':
      return 74;
    default:
      return 70;
  }
}
