/** One process of the command, read through its JSON events. Knows no test runner: the torture command uses it too. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { EventNamed, SupervisorEvent } from '../../src/supervisor/events.ts';

/**
 * Longest wait for any one thing. Nothing takes that long, on no machine: the bound is below that of a whole test, so that
 * a hang names what it waited for.
 */
const BOUND_MS = 150_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Run {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  readonly events: SupervisorEvent[] = [];
  stdout = '';
  stderr = '';
  #rest = '';
  #ended = false;
  readonly #waiters = new Set<() => void>();

  constructor(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv, program = process.execPath) {
    this.child = spawn(program, [...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.#ended = true;
        this.#wake();
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('not started');
    return this.child.pid;
  }

  signal(signal: NodeJS.Signals): void {
    signalPid(this.pid, signal);
  }

  /** The n-th (from 1) event of a name that fits, waited for. */
  async event<N extends SupervisorEvent['name']>(
    name: N,
    fits: (event: EventNamed<N>) => boolean = () => true,
    nth = 1,
  ): Promise<EventNamed<N>> {
    const found = (): EventNamed<N> | undefined => this.named(name).filter(fits)[nth - 1];
    await this.#wait(`'${name}' that fits ${fits}, number ${nth}`, () => found() !== undefined);
    return found() as EventNamed<N>;
  }

  /** Waits for words on stderr. */
  stderrSays(words: string): Promise<void> {
    return this.#wait(`'${words}' on stderr`, () => this.stderr.includes(words));
  }

  /** Waits for a condition, looked at whenever the run said something. */
  until(holds: () => boolean): Promise<void> {
    return this.#wait(String(holds), holds);
  }

  /** Lets real time pass: signals within a second of one another count once. */
  quiet(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  outputLines(): string[] {
    return this.named('output').map(({ line }) => line);
  }

  named<N extends SupervisorEvent['name']>(name: N): EventNamed<N>[] {
    return this.events.filter((event): event is EventNamed<N> => event.name === name);
  }

  /** What happened, for a failed expectation. */
  describe(): string {
    const short = this.events
      .filter(({ name }) => name !== 'progress' && name !== 'output')
      .slice(-30)
      .map((event) => JSON.stringify(event).slice(0, 300));
    return [...short, `stderr: ${this.stderr.slice(-2_000)}`].join('\n');
  }

  /** How it ended, waited for. */
  async end(): Promise<Exit> {
    await within(this.exited, () => this.#inVain('its end'));
    return this.exited;
  }

  async ended(code: number): Promise<this> {
    const exit = await this.end();
    if (exit.code === code && exit.signal === null) return this;
    throw new Error(`it ended with ${exit.signal ?? exit.code} instead of ${code}: ${this.describe()}`);
  }

  async #wait(what: string, holds: () => boolean): Promise<void> {
    const deadline = performance.now() + BOUND_MS;
    while (!holds()) {
      if (this.#ended) throw new Error(`ended without ${what}: ${this.describe()}`);
      const woken = new Promise<void>((resolve) => this.#waiters.add(resolve));
      await within(woken, () => this.#inVain(what), deadline - performance.now());
    }
  }

  #inVain(what: string): Error {
    return new Error(
      `waited in vain for ${what}: pid ${this.child.pid}, step ${this.named('progress').at(-1)?.step}: ${this.describe()}`,
    );
  }

  #take(text: string): void {
    this.stdout += text;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{"')) this.events.push(JSON.parse(line));
    this.#wake();
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}

export function signalPid(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Rejects with the error when the promise takes too long. */
async function within(promise: Promise<unknown>, tooLong: () => Error, boundMs = BOUND_MS): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise((_, reject) => {
    timer = setTimeout(() => reject(tooLong()), boundMs);
  });
  await Promise.race([promise, bound]).finally(() => clearTimeout(timer));
}
