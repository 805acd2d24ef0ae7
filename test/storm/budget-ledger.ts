/**
 * The restart budget as a storm knows it: each end of an attempt is counted once and only once, whoever died meanwhile, and
 * no progress is forgotten. Held at each place where the budget is seen: at the start of a supervisor, at each end of a worker
 * that it tells, and in the session's own record once it is gone. Counts by itself, with nothing of the policy's code.
 */
import { isDeepStrictEqual } from 'node:util';
import type { EventNamed, SupervisorEvent } from '../../src/supervisor/events.ts';
import { FRESH_BUDGET, type RestartBudget } from '../../src/words.ts';

/** Ends that no restart follows, or for which nothing is to blame. */
const UNCOUNTED: ReadonlySet<string> = new Set('interrupted completed power-cut fatal config diverged'.split(' '));
/** Attempts in a row without progress after which a session gives up (design section 3, "Restart policy"). */
const GIVES_UP_AFTER = 6;

/** What stands in `session.json`. */
export interface Recorded {
  readonly state: string;
  readonly attempts: number;
  readonly budget: RestartBudget;
  readonly worker: { readonly attempt: number; readonly counted?: boolean } | null;
}

/** What is known of the attempts, as of one look at the budget. */
interface Known {
  readonly budget: RestartBudget;
  /** Counted, or known to be none that counts. */
  readonly ended: ReadonlySet<number>;
}

export class BudgetLedger {
  readonly #violate: (detail: string) => void;
  #known: Known = { budget: FRESH_BUDGET, ended: new Set() };
  /** Looks since the present supervisor began, for a record that could not be written since one of them. */
  #looks: Known[] = [];
  /** By attempt, the highest step that was verified before it. */
  readonly #base = new Map<number, number>();
  /** By attempt, the highest step of a regular checkpoint that it was told to have verified. */
  readonly #told = new Map<number, number>();
  /** Launched attempts that a record names, or a supervisor told of. */
  readonly #launched = new Set<number>();
  /** Step of the newest choice of what to resume from, until something is launched from it. */
  #chosen: number | null = null;
  #attempt = 0;
  #gaveUp = false;
  #wasAsked = false;
  #mayForget = false;

  constructor(violate: (detail: string) => void) {
    this.#violate = violate;
  }

  /** @param wasFull the disk was full while this was told: what could not be written may be forgotten, and nothing else */
  begin(wasFull: boolean): void {
    this.#mayForget ||= wasFull;
    this.#wasAsked = false;
    this.#chosen = null;
    this.#looks = [this.#known];
  }

  take(event: SupervisorEvent): void {
    switch (event.name) {
      case 'session-opened':
        this.#opened(event.budget);
        return;
      case 'stop-requested':
        this.#wasAsked = true;
        return;
      case 'checkpoint-chosen':
        this.#chosen = event.step;
        return;
      case 'attempt-started':
        this.#started(event.attempt);
        return;
      case 'worker-connected':
        this.#attempt = event.attempt;
        return;
      case 'checkpoint-verified':
        if (event.kinds.some((kind) => kind !== 'emergency')) this.#verified(event.step);
        return;
      case 'worker-ended':
        this.#ended(event);
        return;
      case 'restart-planned':
        this.#planned(event);
        return;
      case 'session-ended':
        if (event.outcome === 'gave-up') this.#givesUp(event.reason);
        return;
      default:
    }
  }

  /**
   * The record once a supervisor is gone. What it had counted and not told yet is in it.
   * @param isOver all steps were made: the end that nobody told may be that of a training that completed
   */
  settle({ state, budget, worker }: Recorded, isOver: boolean): void {
    this.#gaveUp = state === 'gave-up';
    const candidates = this.#mayForget ? [this.#known, ...[...this.#looks].reverse()] : [this.#known];
    for (const known of candidates) {
      const settled = this.#settledFrom(known, budget, worker, isOver);
      if (settled === null) continue;
      // An end that the record does not know of will be counted by the next supervisor.
      const isForgotten = worker !== null && worker.counted !== true && this.#mayForget;
      this.#known = isForgotten ? without(settled, worker.attempt) : settled;
      if (worker !== null) {
        this.#attempt = worker.attempt;
        this.#launch(worker.attempt);
        this.#renumber(worker.attempt, budget);
      }
      return;
    }
    this.#violate(
      `the record holds ${words(budget)}, after ${words(this.#known.budget)}, worker ${JSON.stringify(worker)}`,
    );
  }

  #settledFrom(known: Known, budget: RestartBudget, worker: Recorded['worker'], isOver: boolean): Known | null {
    // The newest attempt, whose end was dealt with and not told, or was only counted.
    const last = worker?.attempt ?? this.#attempt;
    const mayHaveEnded = last > 0 && !known.ended.has(last) && (worker === null || worker.counted === true);
    if (!mayHaveEnded) return this.#isUncounted(known.budget, budget) ? { ...known, budget } : null;
    const isCounted = this.#isCounted(known.budget, budget, last);
    // The operator's stop, and the end of the training, are no restarts; nor is a launch that no record knows of.
    const isUnwritten = this.#mayForget && worker === null;
    const mayBeNone = this.#wasAsked || isOver || isUnwritten;
    if (!isCounted && !(mayBeNone && this.#isUncounted(known.budget, budget))) return null;
    return { budget, ended: new Set([...known.ended, last]) };
  }

  #opened(budget: RestartBudget): void {
    const { budget: before } = this.#known;
    const renewed = { ...before, withoutProgress: 0, fromSameCheckpoint: 0, stepsBack: 0, restarts: 0 };
    const expected = this.#gaveUp ? renewed : before;
    const isSame = this.#gaveUp ? isUnchanged(expected, budget) : isDeepStrictEqual(expected, budget);
    if (!isSame) this.#violate(`it began with ${words(budget)}; on record was ${words(before)}`);
    this.#gaveUp = false;
    this.#see({ ...this.#known, budget });
  }

  #started(attempt: number): void {
    const forgotten = [...this.#launched].filter((one) => one < attempt && !this.#known.ended.has(one));
    if (forgotten.length > 0 && !this.#mayForget)
      this.#violate(`attempt ${attempt} began, and the end of ${forgotten.join(', ')} was counted by nobody`);
    this.#attempt = attempt;
    if (this.#launched.has(attempt)) this.#forget(attempt);
    this.#creditChosen();
    this.#launch(attempt);
  }

  /** It goes on from a checkpoint that was verified for that: progress, where nobody heard so while it was made. */
  #creditChosen(): void {
    const { budget } = this.#known;
    if (this.#chosen !== null && this.#chosen > budget.highestVerifiedStep) {
      this.#see({ ...this.#known, budget: { ...budget, highestVerifiedStep: this.#chosen, withoutProgress: 0 } });
    }
    this.#chosen = null;
  }

  /** Its number is given again: the record that named it could not be written. */
  #forget(attempt: number): void {
    if (!this.#mayForget) this.#violate(`attempt ${attempt} was launched twice`);
    this.#known = without(this.#known, attempt);
    this.#launched.delete(attempt);
    this.#base.delete(attempt);
    this.#told.delete(attempt);
  }

  #launch(attempt: number): void {
    this.#launched.add(attempt);
    if (!this.#base.has(attempt)) this.#base.set(attempt, this.#known.budget.highestVerifiedStep);
  }

  /** A number that a full disk made be given again: what another attempt raised lies before this one, and not in it. */
  #renumber(attempt: number, { progressedBy, highestVerifiedStep }: RestartBudget): void {
    if (!this.#mayForget || progressedBy === undefined || progressedBy.attempt === attempt) return;
    this.#base.set(attempt, Math.max(this.#base.get(attempt) ?? -1, highestVerifiedStep));
  }

  #ended({ attempt, class: exitClass, budget }: EventNamed<'worker-ended'>): void {
    this.#attempt = attempt;
    this.#launch(attempt);
    const { budget: before, ended } = this.#known;
    const told = this.#told.get(attempt) ?? -1;
    if (budget.highestVerifiedStep < told && !this.#mayForget)
      this.#violate(`attempt ${attempt} had verified step ${told}; on record at its end: ${words(budget)}`);
    const counts = !ended.has(attempt) && !UNCOUNTED.has(exitClass);
    const isRight = counts ? this.#isCounted(before, budget, attempt) : this.#isUncounted(before, budget);
    if (!isRight) {
      const how = counts ? 'counts once' : ended.has(attempt) ? 'was counted before' : 'counts as none';
      this.#violate(`the end of attempt ${attempt} (${exitClass}) ${how}: ${words(before)} became ${words(budget)}`);
    }
    this.#see({ budget, ended: new Set([...ended, attempt]) });
  }

  #verified(step: number): void {
    this.#told.set(this.#attempt, Math.max(this.#told.get(this.#attempt) ?? -1, step));
  }

  #givesUp(reason: string): void {
    const { budget } = this.#known;
    if (budget.withoutProgress < GIVES_UP_AFTER) this.#violate(`it gave up: ${reason}; on record: ${words(budget)}`);
  }

  #planned({ withoutProgress, reason }: EventNamed<'restart-planned'>): void {
    const { budget } = this.#known;
    if (withoutProgress !== budget.withoutProgress || withoutProgress >= GIVES_UP_AFTER)
      this.#violate(`a restart after ${withoutProgress} attempts without progress (${reason}), with ${words(budget)}`);
  }

  #see(known: Known): void {
    this.#known = known;
    this.#looks.push(known);
  }

  /** One end of this attempt lies between the two. */
  #isCounted(before: RestartBudget, after: RestartBudget, attempt: number): boolean {
    const progressed = after.highestVerifiedStep > (this.#base.get(attempt) ?? before.highestVerifiedStep);
    const withoutProgress = withoutProgressNow(before, after) + (progressed ? 0 : 1);
    const restarts = before.restarts + (withoutProgress >= GIVES_UP_AFTER ? 0 : 1);
    return isNoLess(before, after) && after.withoutProgress === withoutProgress && after.restarts === restarts;
  }

  #isUncounted(before: RestartBudget, after: RestartBudget): boolean {
    return isUnchanged({ ...before, withoutProgress: withoutProgressNow(before, after) }, after);
  }
}

function without({ budget, ended }: Known, attempt: number): Known {
  return { budget, ended: new Set([...ended].filter((one) => one !== attempt)) };
}

/** What was verified above the highest step starts the count again. */
function withoutProgressNow(before: RestartBudget, after: RestartBudget): number {
  return after.highestVerifiedStep > before.highestVerifiedStep ? 0 : before.withoutProgress;
}

function isUnchanged(before: RestartBudget, after: RestartBudget): boolean {
  const isSame = after.withoutProgress === before.withoutProgress && after.restarts === before.restarts;
  return isSame && isNoLess(before, after);
}

/** What lasts never falls. */
function isNoLess(before: RestartBudget, after: RestartBudget): boolean {
  return after.highestVerifiedStep >= before.highestVerifiedStep && (after.relaunches ?? 0) >= (before.relaunches ?? 0);
}

function words({ highestVerifiedStep, withoutProgress, restarts, relaunches = 0 }: RestartBudget): string {
  const counts = `${restarts} restarts, ${withoutProgress} without progress, ${relaunches} launched again`;
  return `${counts}, verified to step ${highestVerifiedStep}`;
}
