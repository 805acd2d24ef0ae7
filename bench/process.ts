/** Runs a trainer of the bench, or a command, and reads the lines that it prints. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { MeasureContext } from './measure.ts';

/** Nothing of the caller's settings or test runner reaches what is measured. */
export function environment(folder: string, extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(NKAT_|VITEST|NODE_OPTIONS)/.test(name));
  return { ...Object.fromEntries(inherited), NKAT_HOME: join(folder, 'home'), ...extra };
}

export class Lines {
  readonly child: ChildProcess;
  readonly #lines: string[] = [];
  #ended = false;
  #stderr = '';
  #wake: () => void = () => undefined;

  constructor(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
    this.child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new Error('a child without pipes');
    const reader = createInterface({ input: stdout });
    reader.on('line', (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    reader.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
    stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-4_000);
    });
  }

  /** The rest of the next line that has this word in it, once per line. */
  async next(word: string): Promise<string> {
    for (;;) {
      const index = this.#lines.findIndex((line) => line.includes(word));
      if (index >= 0) {
        const [line = ''] = this.#lines.splice(0, index + 1).slice(-1);
        return line.slice(line.indexOf(word) + word.length).trim();
      }
      if (this.#ended) throw new Error(`the process ended without '${word}': ${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Ends it, with all that it started, unless it has ended. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    process.kill(-(child.pid ?? Number.NaN), signal);
    await exited;
  }

  async exited(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }
}

/** `node --import <preload> <trainer>`: what a supervisor starts, by itself. */
export function trainerArgs({ root }: MeasureContext, trainer: string): string[] {
  return ['--import', join(root, 'dist/worker/preload.js'), join(root, 'bench/trainers', trainer)];
}

export function alone(
  context: MeasureContext,
  folder: string,
  trainer: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Lines {
  const variables = environment(folder, env);
  return new Lines(process.execPath, [...trainerArgs(context, trainer), ...args], folder, variables);
}

/** Milliseconds that a command takes from start to end. */
export function timed(command: string, args: readonly string[]): number {
  const startedAt = performance.now();
  execFileSync(command, args, { stdio: 'ignore' });
  return performance.now() - startedAt;
}
