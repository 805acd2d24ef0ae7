/** Real runs: the real command in a state home of its own, read through its JSON events. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as base, expect } from 'vitest';
import type { EventNamed, SupervisorEvent } from '../../src/supervisor/events.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const COMMAND = join(ROOT, 'bin/nkat-recover.js');
const FIXTURES = join(ROOT, 'fixtures/trainers');

/** A state home, and a folder to run in; `close` fails when a process of it is left behind. */
export class World {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), 'nkat-run-')));
  readonly home = join(this.directory, 'home');
  readonly #runs: Run[] = [];

  environment(): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(NKAT_|VITEST|NODE_OPTIONS)/.test(name));
    return { ...Object.fromEntries(inherited), NKAT_HOME: this.home, NKAT_TEST_WORLD: this.directory };
  }

  /** Starts `nkat-recover run --json <options> <trainer args>` or any other command line. */
  start(args: readonly string[], command = COMMAND, environment: NodeJS.ProcessEnv = {}): Run {
    const run = new Run([command, ...args], this.directory, { ...this.environment(), ...environment });
    this.#runs.push(run);
    return run;
  }

  /** The same below another program, with more in its environment. */
  startUnder(wrapper: readonly string[], args: readonly string[], environment: NodeJS.ProcessEnv): Run {
    const [program = '', ...rest] = [...wrapper, process.execPath, COMMAND, ...args];
    const run = new Run(rest, this.directory, { ...this.environment(), ...environment }, program);
    this.#runs.push(run);
    return run;
  }

  run(trainerAndArgs: readonly string[], options: readonly string[] = [], command = COMMAND): Run {
    return this.start(['run', '--json', ...options, ...trainerAndArgs], command);
  }

  /** Resolves when `holds` does; looked at each time that the process table may have changed. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Runs to the end and parses its JSON. */
  async query(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<unknown> {
    const run = this.start([...args, '--json'], COMMAND, environment);
    await run.exited;
    return JSON.parse(run.stdout);
  }

  /** Living processes that were started in this world. */
  processes(): number[] {
    const marker = `NKAT_TEST_WORLD=${this.directory}`;
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid && isOf(pid, marker));
  }

  async close(): Promise<void> {
    const left = this.processes();
    const words = left.map((pid) => `${pid} ${commandLine(pid)}`);
    for (const pid of left) signalPid(pid, 'SIGKILL');
    await Promise.all(this.#runs.map((run) => run.exited));
    rmSync(this.directory, { recursive: true, force: true });
    expect(words, 'processes left behind').toEqual([]);
  }
}

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
    for (;;) {
      const found = this.named(name).filter(fits)[nth - 1];
      if (found !== undefined) return found;
      if (this.#ended) throw new Error(`ended without ${name}: ${this.describe()}`);
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#ended) throw new Error(`ended too early: ${this.describe()}`);
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
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

  async ended(code: number): Promise<this> {
    const exit = await this.exited;
    expect(exit, this.describe()).toEqual({ code, signal: null });
    return this;
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

/** A test with a world of its own, so that those of a file that mostly wait can run beside one another. */
export const testInWorld = base.extend<{ world: World }>({
  world: async ({ task: _ }, use) => {
    const world = new World();
    await use(world);
    await world.close();
  },
});

/** The counting trainer with arguments. */
export function counter(args: readonly string[]): string[] {
  return [join(FIXTURES, 'counter.mjs'), ...args];
}

/** The trainer that gets stuck. */
export function stuck(args: readonly string[]): string[] {
  return [join(FIXTURES, 'stuck.mjs'), ...args];
}

/** What two runs are compared by. */
export function digestsOf(run: Run): { readonly final: string | null; readonly bestStep: number | null } {
  const best = run.named('saved').filter(({ kinds }) => kinds.includes('best'));
  return {
    final: run.named('session-ended')[0]?.summary.digest ?? null,
    bestStep: best.at(-1)?.step ?? null,
  };
}

export function signalPid(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function isOf(pid: number, marker: string): boolean {
  try {
    if (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z')) return false;
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(marker);
  } catch {
    // It ended while we looked.
    return false;
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '(ended)';
  }
}
