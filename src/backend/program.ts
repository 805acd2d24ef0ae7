/** Runs the programs that an installation needs, with what they say in its log. */
import { appendFileSync } from 'node:fs';
import { execa } from 'execa';

export interface ProgramEnd {
  /** Null: it did not start, or a signal ended it. */
  readonly code: number | null;
  /** The errno of a start that failed; null: it started. */
  readonly errno: string | null;
  readonly stdout: string;
  /** Both streams, newest last, at most {@link TAIL_LINES}. */
  readonly tail: readonly string[];
}

export interface ProgramRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Gets the command line and what the program says; null: nobody wants to read it. */
  readonly log: string | null;
  readonly timeoutMs?: number;
}

const TAIL_LINES = 30;
const MAX_BYTES = 16 * 1024 * 1024;

export type RunProgram = (request: ProgramRequest) => Promise<ProgramEnd>;

/** Ends with ours: an installation that is stopped leaves nothing behind that goes on. */
export async function runProgram({
  file,
  args,
  cwd,
  environment,
  log,
  timeoutMs,
}: ProgramRequest): Promise<ProgramEnd> {
  if (log !== null) appendFileSync(log, `\n$ ${[file, ...args].join(' ')}\n`);
  const end = await execa(file, args, {
    cwd,
    env: environment,
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
    maxBuffer: MAX_BYTES,
    stripFinalNewline: false,
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  });
  if (log !== null) appendFileSync(log, end.all);
  return {
    code: end.exitCode ?? null,
    errno: end.exitCode === undefined ? (end.code ?? null) : null,
    stdout: end.stdout,
    tail: end.all.trimEnd().split('\n').slice(-TAIL_LINES),
  };
}
