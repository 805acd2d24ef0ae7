/** The one table of exit codes (sysexits where they fit): `--help`, the README and `main.ts` all read it. */
import type { ErrorCode } from '../errors.ts';
import type { Outcome } from '../supervisor/events.ts';

export interface ExitCode {
  readonly code: number;
  /** One stable word, for scripts and logs. */
  readonly word: string;
  readonly meaning: string;
}

export const EXIT_CODES = [
  { code: 0, word: 'completed', meaning: 'completed' },
  {
    code: 1,
    word: 'gave-up',
    meaning:
      'gave up: crashes without progress used up the restarts, or the loss diverged; a save or stop was not confirmed',
  },
  { code: 64, word: 'usage', meaning: 'wrong usage of the command line' },
  { code: 65, word: 'damaged', meaning: 'no checkpoint verifies, or damage was found' },
  { code: 66, word: 'no-session', meaning: 'no such session, attempt or checkpoint, or no session that runs' },
  { code: 69, word: 'gpu-lost', meaning: 'the GPU needs a reset or a reboot' },
  { code: 70, word: 'internal', meaning: 'internal error, or a worker that cannot be killed' },
  { code: 73, word: 'held', meaning: 'another process owns the session' },
  { code: 74, word: 'io', meaning: 'I/O error, or a recorded checkpoint folder is missing (unmounted disk)' },
  { code: 75, word: 'stopped', meaning: 'stopped with a verified save: run again to continue' },
  { code: 78, word: 'configuration', meaning: 'configuration or preflight: the trainer cannot start' },
  { code: 93, word: 'fatal', meaning: 'the trainer said that it must not be run again' },
  { code: 130, word: 'interrupted', meaning: 'stopped by Ctrl-C without a confirmed save' },
  { code: 143, word: 'terminated', meaning: 'stopped by SIGTERM or another signal without a confirmed save' },
] as const satisfies readonly ExitCode[];

export type ExitWord = (typeof EXIT_CODES)[number]['word'];

const OUTCOMES: Readonly<Record<Exclude<Outcome, 'stopped-unsaved'>, ExitWord>> = {
  completed: 'completed',
  'gave-up': 'gave-up',
  diverged: 'gave-up',
  'config-error': 'configuration',
  fatal: 'fatal',
  'stopped-saved': 'stopped',
  'no-checkpoint': 'damaged',
  'store-missing': 'io',
  'gpu-lost': 'gpu-lost',
  unkillable: 'internal',
  internal: 'internal',
};

const ERRORS: Readonly<Record<ErrorCode, ExitWord>> = {
  usage: 'usage',
  configuration: 'configuration',
  preflight: 'configuration',
  'session-not-found': 'no-session',
  'session-ambiguous': 'no-session',
  'session-held': 'held',
  'session-not-running': 'no-session',
  'checkpoint-not-found': 'no-session',
  'attempt-not-found': 'no-session',
  unconfirmed: 'gave-up',
  'no-verified-checkpoint': 'damaged',
  'checkpoint-damaged': 'damaged',
  'checkpoint-unreadable': 'io',
  'checkpoint-gone': 'io',
  'format-newer': 'configuration',
  'store-missing': 'io',
  fenced: 'held',
  'no-space': 'io',
  io: 'io',
  'database-newer': 'configuration',
  'database-damaged': 'io',
  protocol: 'internal',
  'state-not-serializable': 'configuration',
  'state-mismatch': 'configuration',
  diverged: 'gave-up',
  'backend-missing': 'configuration',
  'backend-broken': 'configuration',
  'backend-platform': 'configuration',
  'python-missing': 'configuration',
  'pip-missing': 'configuration',
  'npm-missing': 'configuration',
  'compiler-missing': 'configuration',
  'node-headers-missing': 'configuration',
  'download-failed': 'io',
  'download-damaged': 'io',
  'unkillable-worker': 'internal',
  internal: 'internal',
};

export function exitCodeOf(word: ExitWord): number {
  const row = EXIT_CODES.find((entry) => entry.word === word);
  if (row === undefined) throw new RangeError(`no exit code is called ${word}`);
  return row.code;
}

/** @param signal what asked for the stop; tells 130 from 143 when no save was confirmed */
export function exitCodeOfOutcome(outcome: Outcome, signal: NodeJS.Signals | null): number {
  return outcome === 'stopped-unsaved' ? exitCodeOfSignal(signal) : exitCodeOf(OUTCOMES[outcome]);
}

export function exitCodeOfError(code: ErrorCode): number {
  return exitCodeOf(ERRORS[code]);
}

export function exitCodeOfSignal(signal: NodeJS.Signals | null): number {
  return exitCodeOf(signal === 'SIGINT' ? 'interrupted' : 'terminated');
}

/** Lines for `--help`. */
export function exitCodesHelp(): string {
  const rows = EXIT_CODES.map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`);
  return ['Exit codes:', ...rows].join('\n');
}

/** The table of the README. */
export function exitCodesMarkdown(): string {
  const rows = EXIT_CODES.map(({ code, meaning }) => `| ${code} | ${meaning} |`);
  return ['| code | meaning |', '| ---: | --- |', ...rows].join('\n');
}
