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
  readonly #end: NodeJS.Signals;

  /** @param end signal that ends it with all that it started: SIGINT to a supervisor, whose worker has its own group */
  constructor(
    command: string,
    args: readonly string[],
    cwd: string,
    env: NodeJS.ProcessEnv,
    end: NodeJS.Signals = 'SIGKILL',
  ) {
    this.#end = end;
    this.child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const orphan = (): void => this.#signal();
    process.once('exit', orphan);
    this.child.once('exit', () => process.off('exit', orphan));
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
  async stop(): Promise<void> {
    if (!this.#runs) return;
    const exited = once(this.child, 'exit');
    this.#signal();
    await exited;
  }

  get #runs(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  #signal(): void {
    if (this.#runs && this.child.pid !== undefined) process.kill(-this.child.pid, this.#end);
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
export function timed(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): number {
  const startedAt = performance.now();
  execFileSync(command, args, { stdio: 'ignore', env });
  return performance.now() - startedAt;
}
