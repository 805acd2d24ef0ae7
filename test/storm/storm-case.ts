/** One session that is killed, frozen, stopped and raced for again and again, and then runs to its end. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { lookAtDisk } from '../power/look-at-disk.ts';
import { indexViolations } from '../power/look-at-index.ts';
import { type Run, signalPid } from '../rig/run.ts';
import { type Chance, chanceOf } from '../rig/seeded.ts';
import type { CaseReport, Violation } from '../torture/scenario.ts';
import { type Blow, drawStrike, type Strike, type Victim, type Weather } from './blow.ts';
import { counted, hasEnded, needsDeath, pass, reach, wordOf } from './moment.ts';
import { StormLedger } from './storm-ledger.ts';
import { ALL_STEPS, KEEP, ROOT, stormReference } from './storm-line.ts';
import { type StormKind, StormWorld } from './storm-world.ts';

export interface StormCaseOptions {
  readonly kind: StormKind;
  readonly kills: number;
  readonly seed: number;
  /** Where the product lies that is stormed; without: this one. */
  readonly installation?: string;
}

/** Exit codes of a supervisor that was asked to stop. */
const STOPPED: ReadonlySet<number> = new Set([75, 130, 143]);
const HELD = 73;
const GAVE_UP = 1;
const IO = 74;

export async function runStormCase(options: StormCaseOptions): Promise<CaseReport> {
  const reference = await stormReference();
  const world = new StormWorld(options.kind, options.installation ?? ROOT);
  const storm = new StormCase(world, options);
  try {
    return await storm.run(reference.finalDigest, reference.knows);
  } finally {
    await world.close();
  }
}

class StormCase {
  readonly #world: StormWorld;
  readonly #options: StormCaseOptions;
  readonly #chance: Chance;
  readonly #ledger = new StormLedger();
  readonly #story: string[] = [];
  readonly #counts: Record<string, number> = {
    kills: 0,
    'of a worker': 0,
    'of a supervisor': 0,
    'while saving': 0,
    'while starting or restoring': 0,
    'while stopping': 0,
    'with a full disk': 0,
    'frozen for a while': 0,
    'stops by Ctrl-C': 0,
    'races of two supervisors': 0,
    'jumps of the clock': 0,
  };
  #supervisor: Run | null = null;
  #number = 0;
  #wasFull = false;
  #completed = false;

  constructor(world: StormWorld, options: StormCaseOptions) {
    this.#world = world;
    this.#options = options;
    this.#chance = chanceOf(options.seed);
  }

  async run(finalDigest: string, knows: (step: number, digest: string) => boolean | null): Promise<CaseReport> {
    while (!this.#completed && (this.#counts.kills ?? 0) < this.#options.kills && !this.#isBroken) {
      await this.#strike(drawStrike(this.#chance));
    }
    if (!this.#isBroken) await this.#toTheEnd();
    if (!this.#isBroken) await this.#look(finalDigest, knows);
    const { recoveries, adoptions, restarts } = this.#ledger;
    return {
      violations: this.#violations,
      counts: {
        ...this.#counts,
        recoveries,
        adoptions,
        restarts,
        'checkpoints looked at': this.#world.commits.looked,
        'looks at the process table': this.#world.watch.looks,
      },
      story: this.#story.slice(-40),
    };
  }

  get #violations(): readonly Violation[] {
    const { watch, commits } = this.#world;
    const together = watch.together.map((detail) => ({ invariant: 'one-live-worker', detail }));
    return [...this.#ledger.violations, ...together, ...commits.violations];
  }

  get #isBroken(): boolean {
    return this.#violations.length > 0;
  }

  async #strike(strike: Strike): Promise<void> {
    const { blow, weather } = strike;
    if (this.#world.clock !== null) {
      this.#world.clock.set(weather.clock);
      this.#count('jumps of the clock');
    }
    const run = await this.#supervised(weather);
    const fills = this.#world.disk !== null && weather.fullDisk;
    if (fills) this.#fill();
    this.#story.push(`${JSON.stringify(strike)}${fills ? ', the disk is full' : ''}`);
    await this.#deal(run, blow);
    this.#world.disk?.free();
    await this.#settle();
  }

  async #deal(run: Run, blow: Blow): Promise<void> {
    // Nobody waits for the start of a worker while one trains.
    if (needsDeath(run, blow.moment)) await this.#kill(run, 'worker', null);
    await reach(run, blow.moment);
    switch (blow.kind) {
      case 'kill':
        return this.#kill(run, blow.victim, wordOf(blow.moment), blow.gapMs);
      case 'freeze': {
        const pid = blow.victim === 'worker' ? this.#world.watch.worker : run.pid;
        if (pid === null) return;
        signalPid(pid, 'SIGSTOP');
        this.#count('frozen for a while');
        await pass(blow.ms);
        if (blow.end === 'loses its worker') await this.#kill(run, 'worker', null);
        if (blow.end === 'is killed') await this.#kill(run, blow.victim, wordOf(blow.moment));
        signalPid(pid, 'SIGCONT');
        return;
      }
      case 'stop': {
        this.#count('stops by Ctrl-C');
        run.signal('SIGINT');
        for (const gapMs of blow.gapsMs) {
          await pass(gapMs);
          run.signal('SIGINT');
        }
        if (blow.kill !== null) {
          await pass(blow.kill.ms);
          await this.#kill(run, blow.kill.victim, 'while stopping');
        }
        const { code, signal } = await run.end();
        const isTold = signal === 'SIGKILL' || (code !== null && (STOPPED.has(code) || code === GAVE_UP));
        const isOver = run.named('session-ended').some(({ outcome }) => outcome === 'completed');
        if (!isTold && !isOver && !(this.#wasFull && code === IO)) {
          this.#ledger.violate('ends-as-told', `asked to stop it ended with ${signal ?? code}: ${run.describe()}`);
        }
      }
    }
  }

  /** Who is not there is not killed, and not counted. */
  async #kill(run: Run, victim: Victim, word: string | null, gapMs: number | 'counted' = 0): Promise<void> {
    const worker = this.#world.watch.worker;
    const isUp = !hasEnded(run);
    const kills = victim === 'worker' ? worker !== null : victim === 'supervisor' ? isUp : isUp || worker !== null;
    if (victim === 'all') await this.#world.killAll();
    if (victim !== 'supervisor' && worker !== null) {
      signalPid(worker, 'SIGKILL');
      this.#count('of a worker');
    }
    const { directory } = this.#ledger;
    if (victim === 'both' && gapMs === 'counted' && directory !== null && worker !== null)
      await counted(run, directory);
    if (victim === 'both' && gapMs !== 'counted') await pass(gapMs);
    if (victim !== 'worker' && isUp) {
      run.signal('SIGKILL');
      this.#count('of a supervisor');
      await run.exited;
    }
    if (!kills) return;
    this.#count('kills');
    if (word !== null) this.#count(word);
    if (this.#wasFull) this.#count('with a full disk');
  }

  /** The supervisor that runs, or the one that wins when they are started. */
  async #supervised({ racers, pauseMs }: Pick<Weather, 'racers' | 'pauseMs'>): Promise<Run> {
    while (this.#supervisor === null) {
      await pass(pauseMs);
      // A session is raced for once it is there: two first starts of a line are two sessions.
      const count = this.#ledger.directory === null ? 1 : racers;
      const runs = Array.from({ length: count }, () => this.#world.supervise());
      if (count > 1) this.#count('races of two supervisors');
      this.#number++;
      // A loser says so and ends; one that has opened the session has won.
      const last = runs.at(-1);
      for (const run of runs) {
        await Promise.race([run.exited, run.event('session-opened').catch(() => run.exited)]);
      }
      const [winner = last, ...others] = runs.filter((run) => !hasEnded(run));
      if (others.length > 0)
        this.#ledger.violate(
          'one-owner',
          `two supervisors opened the session: ${others.map((run) => run.describe()).join('\n')}`,
        );
      for (const run of runs) if (run !== winner) await this.#lost(run);
      if (winner === undefined) throw new Error('nobody was started');
      this.#supervisor = winner;
      const opened = winner.named('session-opened')[0];
      if (opened !== undefined) this.#world.commits.begin(opened.directory);
      await this.#settle();
    }
    return this.#supervisor;
  }

  async #lost(run: Run): Promise<void> {
    // One that opened what another had opened does not end by itself; that it did is told already.
    if (this.#isBroken) run.signal('SIGKILL');
    const { code, signal } = await run.end();
    if (code !== HELD && !this.#isBroken)
      this.#ledger.violate('one-owner', `who lost the race ended with ${signal ?? code}: ${run.describe()}`);
  }

  /** Takes what a supervisor said once it is gone. */
  async #settle(): Promise<void> {
    const run = this.#supervisor;
    if (run === null || !hasEnded(run)) return;
    this.#supervisor = null;
    const { code, signal } = await run.exited;
    this.#ledger.take(run, this.#wasFull);
    this.#story.push(
      `  supervisor ${this.#number} ended with ${signal ?? code}; newest ${this.#ledger.acknowledged.newest?.sequence ?? 'none'}`,
    );
    this.#story.push(`  ${this.#recorded()}`);
    const isExpected = signal === 'SIGKILL' || code === 0 || code === GAVE_UP || (code !== null && STOPPED.has(code));
    if (!isExpected && !(this.#wasFull && code === IO)) {
      this.#ledger.violate('ends-as-told', `it ended with ${signal ?? code}: ${run.describe()}`);
    }
    this.#wasFull = false;
    if (code === 0) this.#completed = true;
  }

  async #toTheEnd(): Promise<void> {
    this.#world.hurry();
    for (let starts = 0; !this.#completed && !this.#isBroken; starts++) {
      if (starts > 8) return this.#ledger.violate('runs-to-the-end', `it was started ${starts} times in vain`);
      const run = await this.#supervised({ racers: 1, pauseMs: 0 });
      await run.end();
      await this.#settle();
    }
  }

  async #look(finalDigest: string, knows: (step: number, digest: string) => boolean | null): Promise<void> {
    const { directory, acknowledged } = this.#ledger;
    if (directory === null) return this.#ledger.violate('runs-to-the-end', 'no session was ever opened');
    const left = this.#world.processes;
    if (left.length > 0) this.#ledger.violate('nothing-left-behind', `processes ${left.join(', ')}`);
    const session = basename(directory);
    const { violations, whole } = await lookAtDisk({ directory, session, acknowledged, keep: KEEP, knows });
    this.#ledger.violations.push(...violations);
    this.#world.commits.look();
    // A session that was completed while no supervisor lived tells no digest at its end.
    for (const digest of [whole[0]?.tensorsDigest, this.#ledger.finalDigest]) {
      if (digest === null || digest === finalDigest) continue;
      this.#ledger.violate('resumed-equals-uninterrupted', `the end is ${digest} instead of ${finalDigest}`);
    }
    if (whole[0]?.step !== ALL_STEPS)
      this.#ledger.violate('runs-to-the-end', `the newest checkpoint is of step ${whole[0]?.step}`);
    const staged = readdirSync(join(directory, '.staging'));
    if (staged.length > 0) this.#ledger.violate('nothing-left-behind', `staging still holds ${staged.join(', ')}`);
    const shown = await this.#world.show(session);
    this.#ledger.violations.push(...indexViolations(shown, readdirSync(directory)));
    this.#ledger.judgeAttempts(JSON.parse(shown).attempts);
  }

  /** What the session's own record says of its restarts. */
  #recorded(): string {
    const { directory } = this.#ledger;
    if (directory === null) return 'no session yet';
    const recorded = JSON.parse(readFileSync(join(directory, 'session.json'), 'utf8'));
    this.#ledger.settle(recorded);
    const { state, attempts, budget, worker } = recorded;
    // Also where nobody lived to say so: the same line would begin another session.
    if (state === 'completed') this.#completed = true;
    const newest = worker === null ? 'no worker' : `worker ${worker.attempt}${worker.counted ? ', counted' : ''}`;
    return `on record: ${state}, ${attempts} attempts, ${newest}, ${JSON.stringify(budget)}`;
  }

  #fill(): void {
    this.#world.disk?.keepFull();
    this.#wasFull = true;
  }

  #count(word: string): void {
    this.#counts[word] = (this.#counts[word] ?? 0) + 1;
  }
}
