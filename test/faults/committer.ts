/** The process that commits on order, and the tracer that makes one of its system calls fail. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../rig/wait-for.ts';
import type { Fault } from './fault.ts';

const PROGRAM = fileURLToPath(new URL('committer.mjs', import.meta.url));

export interface Place {
  readonly root: string;
  readonly backups: string;
  readonly session: string;
  readonly keep: number;
  /** Errors that it is careless about; null: the store as it is. */
  readonly ignored: string | null;
}

/** `died`: the signal or exit code it ended with instead of an answer. */
export type Answer =
  | { readonly kind: 'done'; readonly done: unknown }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'died'; readonly by: string };

export interface Faulted {
  readonly answer: Answer;
  /** The call that met the fault, as strace wrote it; null: there was no n-th one. */
  readonly hit: string | null;
}

export class Committer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<string>;
  readonly #thread: number;
  #words = '';

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, exited: Promise<string>, thread: number) {
    this.#child = child;
    this.#lines = lines;
    this.#exited = exited;
    this.#thread = thread;
    child.stderr?.on('data', (text: Buffer) => {
      this.#words += text.toString();
    });
  }

  static async start({ root, backups, session, keep, ignored }: Place): Promise<Committer> {
    const args = [PROGRAM, root, backups, session, String(keep), ...(ignored === null ? [] : [ignored])];
    const env = { PATH: process.env.PATH, UV_THREADPOOL_SIZE: '1' };
    const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    // A killed one takes no more orders.
    child.stdin.on('error', () => undefined);
    const exited = once(child, 'exit').then(([code, signal]) => String(signal ?? code));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value } = await lines.next();
    return new Committer(child, lines, exited, Number(JSON.parse(value).thread));
  }

  async order(order: string, details: object = {}): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify({ order, ...details })}\n`);
    const { done, value } = await this.#lines.next();
    if (done) return { kind: 'died', by: `${await this.#exited} ${this.#words.slice(-300)}`.trim() };
    const words = JSON.parse(value);
    return words.failed === undefined ? { kind: 'done', done: words.done } : { kind: 'failed', ...words.failed };
  }

  /** The same while its n-th call of a kind, counted from the order on, meets the fault. `log`: a file for the tracer. */
  async orderUnder(fault: Fault, log: string, order: string, details: object): Promise<Faulted> {
    const { syscalls } = fault.call;
    const effect = fault.error === 'KILL' ? 'signal=KILL' : `error=${fault.error}`;
    const expressions = ['-e', `trace=${syscalls}`, '-e', `inject=${syscalls}:${effect}:when=${fault.nth}`];
    const tracer = spawn('strace', ['-y', '-s', '4096', '-o', log, '-p', String(this.#thread), ...expressions], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    let ended = false;
    tracer.stderr.on('data', (text: Buffer) => {
      said += text.toString();
    });
    tracer.once('exit', () => {
      ended = true;
    });
    const gone = once(tracer, 'exit');
    await waitFor(
      () => `strace to attach: ${said}`,
      () => ended || said.includes('attached'),
    );
    if (ended) throw new Error(`strace could not attach to thread ${this.#thread}: ${said}`);
    const answer = await this.order(order, details);
    tracer.kill('SIGINT');
    await gone;
    return { answer, hit: hitIn(readFileSync(log, 'utf8'), fault) };
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }
}

/** A call that was interrupted by the end of its process stands there without a result. */
function hitIn(log: string, { error }: Fault): string | null {
  const lines = log.split('\n');
  if (error !== 'KILL') return lines.find((line) => line.endsWith('(INJECTED)')) ?? null;
  const killed = lines.findIndex((line) => line.startsWith('+++ killed by SIGKILL'));
  return killed === -1 ? null : (lines[killed - 1] ?? '(nothing)');
}
