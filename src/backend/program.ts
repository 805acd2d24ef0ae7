/** Runs the programs that an installation needs, with what they say in its log. */
import { type ChildProcess, spawn } from 'node:child_process';
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

/**
 * The program in a process group of its own, and in that group one who waits for our end: descriptor 3 is closed when we die,
 * of whatever, and then he kills the compilers that node-gyp and make have started, and himself.
 */
const IN_GROUP = '(read _ <&3; kill -KILL 0) >/dev/null 2>&1 & exec "$@" 3<&-';

/**
 * It ends with us: an installation that is stopped or killed leaves nothing behind that goes on.
 *
 * @throws the system's error where the log cannot be written; the program is ended then
 */
export async function runProgram(request: ProgramRequest): Promise<ProgramEnd> {
  const { file, args, cwd, environment, log, timeoutMs } = request;
  if (log !== null) appendFileSync(log, `\n$ ${[file, ...args].join(' ')}\n`);
  const child = spawn('/bin/sh', ['-c', IN_GROUP, 'nkat-program', file, ...args], {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const endIt = (): void => killGroup(child);
  const stdout = new KeptText();
  const all = new KeptText();
  let unwritable: unknown = null;
  for (const [stream, texts] of [
    [child.stdout, [stdout, all]],
    [child.stderr, [all]],
  ] as const) {
    stream?.on('data', (chunk: Buffer) => {
      for (const text of texts) text.add(chunk);
      if (log === null || unwritable !== null) return;
      try {
        appendFileSync(log, chunk);
      } catch (error) {
        unwritable = error;
        endIt();
      }
    });
  }
  // Who waits for our end outlives the program.
  child.once('exit', endIt);
  process.on('exit', endIt);
  const limit = timeoutMs === undefined ? undefined : setTimeout(endIt, timeoutMs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (unwritable !== null) throw unwritable;
    return endOf(code, null, stdout, all);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null || error === unwritable) throw error;
    return endOf(null, errno, stdout, all);
  } finally {
    clearTimeout(limit);
    process.removeListener('exit', endIt);
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
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
