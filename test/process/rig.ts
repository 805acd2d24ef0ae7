/** Real runs: the real command in a state home of its own, read through its JSON events. */
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as base, expect } from 'vitest';
import { whereMountsAreAllowed } from '../rig/loop-mount.ts';
import { Run, signalPid } from '../rig/run.ts';
import { waitFor } from '../rig/wait-for.ts';

export { Run, signalPid } from '../rig/run.ts';

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

  /** A trainer that goes on, however slow this machine is, until it is {@link enough}: then its epoch is the last. */
  endless(args: readonly string[] = []): string[] {
    const pace = ['--epochs', '1000000', '--steps-per-epoch', '20', '--step-ms', '20'];
    return counter([...pace, '--until', join(this.directory, 'enough'), ...args]);
  }

  /** Makes a file of the world that a trainer waits for. */
  touch(name: string): void {
    writeFileSync(join(this.directory, name), '');
  }

  enough(): void {
    this.touch('enough');
  }

  run(trainerAndArgs: readonly string[], options: readonly string[] = [], command = COMMAND): Run {
    return this.start(['run', '--json', ...options, ...trainerAndArgs], command);
  }

  /** Resolves when `holds` does; looked at each time that the process table may have changed. */
  async until(holds: () => boolean): Promise<void> {
    await waitFor(() => `${holds}: ${this.#runs.map((run) => run.describe()).join('\n')}`, holds);
  }

  /** Runs to the end and parses its JSON. */
  async query(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<unknown> {
    const run = this.start([...args, '--json'], COMMAND, environment);
    const { code } = await run.end();
    if (!run.stdout.endsWith('}\n')) throw new Error(`${args.join(' ')}: ${code}, no JSON: ${run.stdout}${run.stderr}`);
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

  /** What a power cut leaves of the processes: nothing, and none of them sees another one go. */
  async cutPower(): Promise<void> {
    const all = this.processes();
    for (const pid of all) signalPid(pid, 'SIGSTOP');
    for (const pid of new Set([...all, ...this.processes()])) signalPid(pid, 'SIGKILL');
    await waitFor('the end of all', () => this.processes().length === 0);
    await Promise.all(this.#runs.map((run) => run.exited));
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

/** A test with a world of its own, so that those of a file that mostly wait can run beside one another. */
export const testInWorld = base.extend<{ world: World }>({
  world: async ({ task: _ }, use) => {
    const world = new World();
    await use(world);
    await world.close();
  },
});

/** The same where mounts are allowed. */
export function testInWorldWithMounts(name: string, work: (world: World) => Promise<void>): void {
  whereMountsAreAllowed(name, () => testInWorld.concurrent(name, ({ world }) => work(world)));
}

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
