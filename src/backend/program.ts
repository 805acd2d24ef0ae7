/** Runs the programs that an installation needs, with what they say in its log. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

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
/** Of each stream; what is older went into the log. */
const KEPT_BYTES = 256 * 1024;

export type RunProgram = (request: ProgramRequest) => Promise<ProgramEnd>;

/** Ends with ours, as far as we can: an installation that is stopped is to leave nothing behind that goes on. */
export async function runProgram(request: ProgramRequest): Promise<ProgramEnd> {
  const { file, args, cwd, environment, log, timeoutMs } = request;
  if (log !== null) appendFileSync(log, `\n$ ${[file, ...args].join(' ')}\n`);
  const child = spawn(file, args, {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    killSignal: 'SIGKILL',
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  });
  const stdout = new KeptText();
  const all = new KeptText();
  for (const [stream, texts] of [
    [child.stdout, [stdout, all]],
    [child.stderr, [all]],
  ] as const) {
    stream.on('data', (chunk: Buffer) => {
      for (const text of texts) text.add(chunk);
      if (log !== null) appendFileSync(log, chunk);
    });
  }
  const endIt = (): void => {
    child.kill('SIGKILL');
  };
  process.on('exit', endIt);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return endOf(code, null, stdout, all);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    return endOf(null, errno, stdout, all);
  } finally {
    process.removeListener('exit', endIt);
  }
}

function endOf(code: number | null, errno: string | null, stdout: KeptText, all: KeptText): ProgramEnd {
  return { code, errno, stdout: stdout.text(), tail: all.text().trimEnd().split('\n').slice(-TAIL_LINES) };
}

/** The newest part of what a program says. */
class KeptText {
  #kept = Buffer.alloc(0);

  add(chunk: Buffer): void {
    this.#kept = Buffer.concat([this.#kept, chunk]).subarray(-KEPT_BYTES);
  }

  text(): string {
    return this.#kept.toString('utf8');
  }
}
