/** A state home of a storm's own, with a clock and a disk to play with where the storm has them. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainEnvironment } from '../power/reference.ts';
import { Run, signalPid } from '../rig/run.ts';
import { SetClock } from '../rig/set-clock.ts';
import { SmallDisk } from '../rig/small-disk.ts';
import { waitFor } from '../rig/wait-for.ts';
import { CommitLook } from './commit-look.ts';
import { showLine, stormLine } from './storm-line.ts';
import { processesOf, WORLD, WorkerWatch } from './worker-watch.ts';

export type StormKind = 'plain' | 'clock' | 'disk';

export class StormWorld {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'nkat-storm-')));
  readonly #marker = `${WORLD}=${this.#folder}`;
  readonly #runs: Run[] = [];
  readonly clock: SetClock | null;
  readonly disk: SmallDisk | null;
  readonly watch = new WorkerWatch(this.#marker);
  readonly commits = new CommitLook();
  readonly #root: string;

  /** @param root of the installation that runs in it */
  constructor(kind: StormKind, root: string) {
    this.#root = root;
    this.clock = kind === 'clock' ? new SetClock(join(this.#folder, 'clock')) : null;
    const place = join(this.#folder, 'small');
    mkdirSync(place);
    this.disk = kind === 'disk' ? new SmallDisk(place) : null;
  }

  /** Starts a supervisor, and where there is one that continues, the same line continues. */
  supervise(): Run {
    const where = this.disk === null ? [] : ['--dir', join(this.disk.path, 'checkpoints')];
    return this.#start(stormLine(this.#root, join(this.#folder, 'hurry'), where));
  }

  async show(session: string): Promise<string> {
    const run = this.#start(showLine(this.#root, session));
    await run.end();
    return run.stdout;
  }

  /** From now on the training does not wait any more. */
  hurry(): void {
    writeFileSync(join(this.#folder, 'hurry'), '');
  }

  get processes(): number[] {
    return processesOf(this.#marker);
  }

  /** Everything at once, so that none of them sees another one go. */
  async killAll(): Promise<void> {
    const all = this.processes;
    for (const pid of all) signalPid(pid, 'SIGSTOP');
    for (const pid of new Set([...all, ...this.processes])) signalPid(pid, 'SIGKILL');
    await waitFor('the end of all', () => this.processes.length === 0);
  }

  async close(): Promise<void> {
    this.watch.close();
    this.commits.close();
    await this.killAll();
    await Promise.all(this.#runs.map((run) => run.exited));
    this.disk?.unmount();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #start([program = '', ...args]: readonly string[]): Run {
    const environment = { ...plainEnvironment(join(this.#folder, 'home')), [WORLD]: this.#folder };
    const run = new Run(args, this.#folder, { ...environment, ...this.clock?.environment }, program);
    this.#runs.push(run);
    return run;
  }
}
