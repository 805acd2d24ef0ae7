/** What the supervisors of a storm said, one after another, held against what may be said. */
import type { EventNamed, SupervisorEvent } from '../../src/supervisor/events.ts';
import { MAX_WITHOUT_PROGRESS } from '../../src/supervisor/machine/restart-policy.ts';
import { Acknowledged } from '../power/acknowledged.ts';
import type { Run } from '../rig/run.ts';
import type { Violation } from '../torture/scenario.ts';

/** Classes that are nobody's restart: the operator's stop, the end, a cut. */
const UNCOUNTED: ReadonlySet<string> = new Set(['interrupted', 'completed', 'power-cut']);

/** A row of `show --json`. */
interface ShownAttempt {
  readonly number: number;
  readonly class: string | null;
}

interface Budget {
  readonly restarts: number;
  readonly withoutProgress: number;
}

export class StormLedger {
  readonly acknowledged = new Acknowledged();
  readonly violations: Violation[] = [];
  #directory: string | null = null;
  #finalDigest: string | null = null;
  #isExhausted = false;
  readonly #attempts = new Set<number>();
  /** The session's own record could not be written at times. */
  #mayForget = false;
  recoveries = 0;
  adoptions = 0;
  restarts = 0;

  get directory(): string | null {
    return this.#directory;
  }

  get finalDigest(): string | null {
    return this.#finalDigest;
  }

  /**
   * All that a supervisor said, after its end.
   * @param wasFull the disk was full meanwhile: what it could not write, the next one cannot know
   */
  take(run: Run, wasFull: boolean): void {
    this.#mayForget ||= wasFull;
    let withoutProgress: number | null = null;
    for (const event of run.events) {
      this.#take(event);
      withoutProgress = this.#count(event, withoutProgress);
    }
  }

  /** What is on record once a supervisor is gone: it may have given up and been killed before it said so. */
  note(state: string, { withoutProgress }: Budget): void {
    if (state === 'gave-up' || withoutProgress >= MAX_WITHOUT_PROGRESS) this.#isExhausted = true;
  }

  violate(invariant: string, detail: string): void {
    this.violations.push({ invariant, detail });
  }

  /** Pure of what was said: what the session's own record and its attempts must add up to, once all has ended. */
  judgeBudget(budget: Budget, attempts: readonly ShownAttempt[]): void {
    const counted = attempts.filter(({ class: ended }) => ended !== null && !UNCOUNTED.has(ended)).length;
    // Once it is used up a start is the operator's own, and no restart; giving up and starting again renews it.
    // A supervisor that is killed at the wrong moment leaves an attempt open in the database: counted, or never begun.
    const open = attempts.filter(({ class: ended }) => ended === null).length;
    // No more than there were. A start by the operator of what is used up counts none, and nobody may live to tell of it: so no less
    // than there were cannot be asked here; the machine's own tests hold it.
    if (!this.#isExhausted && budget.restarts > counted + open) {
      const classes = attempts.map(({ number, class: ended }) => `${number} ${ended}`).join(', ');
      this.violate('budget-is-exact', `${budget.restarts} restarts are on record; ended were ${classes}`);
    }
    const twice = attempts.filter(({ number }, index) => attempts.findIndex((one) => one.number === number) !== index);
    if (twice.length > 0) this.violate('budget-is-exact', `attempts are listed twice: ${JSON.stringify(twice)}`);
  }

  #take(event: SupervisorEvent): void {
    const newest = this.acknowledged.newest?.sequence ?? 0;
    switch (event.name) {
      case 'session-opened':
        if (this.#directory !== null && this.#directory !== event.directory) {
          this.violate('resumes-from-newest', `another session was begun although ${newest} was saved`);
        }
        this.#directory = event.directory;
        if (event.adopted) this.adoptions++;
        return;
      case 'attempt-started':
        if (this.#attempts.has(event.attempt) && !this.#mayForget) {
          this.violate('one-live-worker', `attempt ${event.attempt} was launched twice`);
        }
        this.#attempts.add(event.attempt);
        return;
      case 'checkpoint-chosen':
        this.recoveries++;
        this.#judgeChoice(event);
        return;
      case 'training-started':
        if (event.sequence === null && newest > 0) {
          this.violate('never-silently-fresh', `it started from zero although ${newest} was reported durable`);
        }
        return;
      case 'checkpoint-quarantined':
        this.violate('complete-or-absent', `checkpoint ${event.sequence} was quarantined: ${event.reason}`);
        return;
      case 'saved':
      case 'checkpoint-verified':
        this.acknowledged.take([event]);
        return;
      case 'hang-detected':
        this.violate('nothing-fails-alone', `a hang was seen: ${JSON.stringify(event)}`);
        return;
      case 'session-ended':
        if (event.outcome === 'completed') this.#finalDigest = event.summary.digest;
        if (event.outcome === 'gave-up') this.#judgeGivingUp(event.reason);
        return;
      default:
    }
  }

  /** The newest that was acknowledged, but for those that were set aside after two crashes without progress each. */
  #judgeChoice({ sequence, candidates }: EventNamed<'checkpoint-chosen'>): void {
    const passed = this.acknowledged.all.filter((said) => said.sequence > sequence);
    const verdicts = new Map(candidates.map((candidate) => [candidate.sequence, candidate.verdict]));
    const wrong = passed.filter((said) => verdicts.get(said.sequence) !== 'set-aside');
    if (wrong.length === 0) return;
    const words = wrong.map((said) => `${said.sequence} (${verdicts.get(said.sequence) ?? 'gone'})`).join(', ');
    const all = candidates.map((candidate) => `${candidate.sequence} ${candidate.verdict}`).join(', ');
    this.violate('resumes-from-newest', `${sequence} was chosen although ${words} was reported durable; of ${all}`);
  }

  /** After six at least: the operator's own start gets a launch also where the budget is used up. */
  #judgeGivingUp(reason: string): void {
    this.#isExhausted = true;
    const attempts = Number(/^(\d+) attempts in a row without progress/.exec(reason)?.[1] ?? 0);
    if (attempts < MAX_WITHOUT_PROGRESS) this.violate('budget-is-exact', `it gave up: ${reason}`);
  }

  /**
   * In one supervisor's story each restart counts one more than the one before. What was verified in between starts the count again
   * only above the highest step on record, which a supervisor that was killed may have told nobody: then any number may follow.
   */
  #count(event: SupervisorEvent, before: number | null): number | null {
    if (event.name === 'checkpoint-verified') return null;
    if (event.name !== 'restart-planned') return before;
    this.restarts++;
    const { withoutProgress, reason } = event;
    if (before !== null && withoutProgress !== before + 1) {
      this.violate('budget-is-exact', `${withoutProgress} attempts without progress after ${before}: ${reason}`);
    }
    return withoutProgress;
  }
}
