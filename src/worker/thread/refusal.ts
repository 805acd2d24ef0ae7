/** A trainer that runs alone and may not train: the error as data, and exit codes like those of `nkat-recover`. */
import { type ErrorCode, NkatError } from '../../errors.ts';
import type { Refusal } from './messages.ts';

export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof NkatError)) return { code: 'internal', operation: 'open the session', path: null, hint: null };
  return { code: error.code, operation: error.operation, path: error.path ?? null, hint: error.hint ?? null };
}

export function refusalExitCode(code: ErrorCode): number {
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
