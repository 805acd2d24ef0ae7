/**
 * The one error class of the project. Expected outcomes (a child's exit, a damaged checkpoint) are data;
 * an `NkatError` is thrown only for what was asked and cannot be done.
 */
import { constants } from 'node:os';

/** Stable words; `src/cli/exit-codes.ts` maps each to an exit code. */
export type ErrorCode =
  | 'usage'
  | 'configuration'
  | 'preflight'
  | 'session-not-found'
  | 'session-ambiguous'
  | 'session-held'
  | 'session-not-running'
  | 'checkpoint-not-found'
  | 'attempt-not-found'
  | 'unconfirmed'
  | 'no-verified-checkpoint'
  | 'checkpoint-damaged'
  | 'checkpoint-unreadable'
  | 'checkpoint-gone'
  | 'format-newer'
  | 'store-missing'
  | 'fenced'
  | 'no-space'
  | 'io'
  | 'database-newer'
  | 'database-damaged'
  | 'protocol'
  | 'state-not-serializable'
  | 'state-mismatch'
  | 'diverged'
  | 'backend-missing'
  | 'backend-broken'
  | 'backend-platform'
  | 'python-missing'
  | 'pip-missing'
  | 'npm-missing'
  | 'compiler-missing'
  | 'node-headers-missing'
  | 'download-failed'
  | 'download-damaged'
  | 'unkillable-worker'
  | 'internal';

export interface ErrorDetails {
  readonly code: ErrorCode;
  /** What was being done, in the infinitive: "read the manifest". */
  readonly operation: string;
  readonly path?: string;
  /** The command or action that helps, as a sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class NkatError extends Error {
  readonly code: ErrorCode;
  readonly operation: string;
  readonly path: string | undefined;
  readonly hint: string | undefined;

  /** @param message why it failed, for a person; operation, path and hint are kept apart for the renderer. */
  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'NkatError';
    this.code = details.code;
    this.operation = details.operation;
    this.path = details.path;
    this.hint = details.hint;
  }
}

/** libuv knows no name for some numbers: a full quota has the code `Unknown system error -122`. */
const UNNAMED = /^Unknown system error -(\d+)$/;
const UNNAMED_MESSAGE = /Unknown system error -(\d+)(?:: Unknown system error -\1)?/g;

/** Source: strerror(3). */
const SAYINGS: Readonly<Record<string, string>> = {
  EDQUOT: 'EDQUOT: disk quota exceeded',
  ESTALE: 'ESTALE: stale file handle',
};

/** The `errno` word (`ENOSPC`, `EACCES`...) of a system error, or null. */
export function errnoOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error) || typeof error.code !== 'string') return null;
  const unnamed = UNNAMED.exec(error.code);
  return unnamed === null ? error.code : (errnoWord(Number(unnamed[1])) ?? error.code);
}

/** What an error says, with the names of the errors that Node has none for (a quota, a stale file of NFS). */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(
    UNNAMED_MESSAGE,
    (text: string, number: string) => SAYINGS[errnoWord(Number(number)) ?? ''] ?? errnoWord(Number(number)) ?? text,
  );
}

/** The name of a number, on the platform that we run on. */
function errnoWord(number: number): string | null {
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? null;
}
