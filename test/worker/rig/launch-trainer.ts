import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { atTestEnd } from '../../rig/test-end.ts';

export const COUNTER = fileURLToPath(new URL('../../../fixtures/trainers/counter.mjs', import.meta.url));

export interface TrainerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class TrainerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<TrainerEnd>;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    // `close`, so that all output is here; these trainers have no children that could hold the pipes.
    this.ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }
}

/** Runs a trainer; it is killed when the test ends, should it still run. */
export function launchTrainer(
  args: readonly (string | number)[],
  environment: NodeJS.ProcessEnv,
  options: { readonly script?: string; readonly nodeArgs?: readonly string[]; readonly cwd?: string } = {},
): TrainerProcess {
  const { script = COUNTER, nodeArgs = [], cwd } = options;
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NKAT_')));
  const child = spawn(process.execPath, [...nodeArgs, script, ...args.map(String)], {
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const trainer = new TrainerProcess(child);
  atTestEnd(async () => {
    if (trainer.running) child.kill('SIGKILL');
    await trainer.ended;
  });
  return trainer;
}
