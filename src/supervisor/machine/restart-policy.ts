/** Whether and when to launch again (design section 3, "Restart policy"). Pure; progress alone resets the counters. */
import { FRESH_BUDGET, type RestartBudget } from '../../words.ts';
import type { Outcome } from '../events.ts';
import type { Classification, ExitClass } from './classify.ts';
import type { CardNeed } from './effect.ts';

/** Attempts in a row without progress after which we give up: three resume points, two crashes each. */
export const MAX_WITHOUT_PROGRESS = 6;
/** Crashes from one checkpoint before it is set aside. */
export const CRASHES_PER_CHECKPOINT = 2;
/** How often the learning rate is halved in a session, whatever progress is made in between: to 1/16. */
export const MAX_DIVERGENCES = 4;
/**
 * Crash saves in a row after which the operator is warned: here the default back-off reaches its longest delay. There is
 * no giving up, since each attempt does come further.
 */
export const CRASH_LOOP = 8;
/** How far back the resume point may be moved without progress. */
export const MAX_STEPS_BACK = 2;

/** A card that does not cool in this time tells nothing any more, or stands in a hot room: it is tried, and watched again. */
export const COOLING_MS = 1_800_000;

/** How often batches are halved in a session: to 1/16. */
export const MAX_CARD_OOMS = 4;
/** How long the memory of a dead worker may take to be free again. */
export const FREEING_MS = 60_000;

export interface RestartSettings {
  readonly maxRestarts: number | null;
  readonly backoff: { readonly initialMs: number; readonly maxMs: number; readonly jitter: number };
  /** After the loss of a card wait until it is healthy again, instead of ending; missing: end. */
  readonly waitForGpu?: boolean;
}

/**
 * What was verified above the highest step during an attempt. `by-crash`: nothing but the emergency checkpoint that it
 * made as it died, which keeps the session alive and shows nothing of the trainer's health.
 */
export type Progress = 'none' | 'by-crash' | 'regular';

export interface EndedAttempt {
  readonly classification: Classification;
  readonly progress: Progress;
  readonly resumedFrom: number | null;
  /** It diverged, and the trainer goes on with a scaled learning rate. */
  readonly adapts: boolean;
  /** It takes smaller batches where a card's memory was full; missing: it does not. */
  readonly adaptsBatch?: boolean;
}

export type RestartDecision =
  | {
      readonly kind: 'restart';
      readonly budget: RestartBudget;
      readonly delayMs: number;
      /** Sequence to set aside if an older checkpoint verifies; null: resume from the newest. */
      readonly stepBackFrom: number | null;
      /** What is waited for first, and for how long at most (null: however long); missing: nothing but the delay. */
      readonly awaits?: { readonly need: CardNeed; readonly limitMs: number | null };
      /** Why it is launched again, and what is different then. */
      readonly reason: string;
    }
  | { readonly kind: 'end'; readonly budget: RestartBudget; readonly outcome: Outcome; readonly reason: string };

const ENDS: Partial<Record<ExitClass, Outcome>> = {
  completed: 'completed',
  fatal: 'fatal',
  config: 'config-error',
  diverged: 'diverged',
  interrupted: 'stopped-unsaved',
};

/** Want of memory comes again by itself: one retry without progress. */
const LACKED: Partial<Record<ExitClass, string>> = {
  'host-oom': 'host memory',
  'heap-oom': 'JavaScript heap',
  'gpu-oom': 'GPU memory',
};

/** Classes that say nothing against the checkpoint that was resumed from. */
const INNOCENT: ReadonlySet<ExitClass> = new Set(['requested', 'disk-full', 'gpu-lost', 'gpu-oom']);

/** A verified checkpoint of these kinds: is it the work of a crash alone? */
export function progressOf(kinds: readonly string[]): Exclude<Progress, 'none'> {
  return kinds.length > 0 && kinds.every((kind) => kind === 'emergency') ? 'by-crash' : 'regular';
}

/** A verified checkpoint at `step`, of an attempt: unchanged budget unless it is above every earlier one. */
export function creditProgress(
  budget: RestartBudget,
  step: number,
  progress: Exclude<Progress, 'none'>,
  attempt: number,
): RestartBudget {
  if (step <= budget.highestVerifiedStep) return budget;
  const regular = progress === 'regular' || progressIn(budget, attempt) === 'regular';
  const credited = {
    ...FRESH_BUDGET,
    ...lasting(budget),
    highestVerifiedStep: step,
    restarts: budget.restarts,
    progressedBy: { attempt, regular },
  };
  const { crashSaves } = budget;
  return progress === 'regular' || crashSaves === undefined ? credited : { ...credited, crashSaves };
}

/**
 * What was chosen to go on from, and verified for that: progress of the attempt that ended last, if it is above every
 * step of which anybody heard. It was counted as an attempt without progress.
 */
export function creditChoice(
  budget: RestartBudget,
  { step, kinds }: { readonly step: number; readonly kinds: readonly string[] },
  endedAttempt: number,
): RestartBudget {
  const progress = progressOf(kinds);
  const credited = creditProgress(budget, step, progress, endedAttempt);
  if (credited === budget || progress === 'regular' || budget.fromSameCheckpoint === 0) return credited;
  return { ...credited, crashSaves: (credited.crashSaves ?? 0) + 1 };
}

/** What an attempt has to its credit, whoever was its supervisor then. */
export function progressIn({ progressedBy }: RestartBudget, attempt: number): Progress {
  if (progressedBy?.attempt !== attempt) return 'none';
  return progressedBy.regular ? 'regular' : 'by-crash';
}

/** The operator's own start of a session that gave up: counters start over, what was verified stays. */
export function renewBudget(budget: RestartBudget): RestartBudget {
  return { ...FRESH_BUDGET, ...lasting(budget), highestVerifiedStep: budget.highestVerifiedStep };
}

/** What a trainer that adapts multiplies its learning rate with: halved at each divergence. */
export function learningRateScale({ divergences = 0 }: RestartBudget): number {
  return 0.5 ** divergences;
}

/** What a trainer that adapts multiplies the size of its batches with: halved each time that a card's memory was full. */
export function batchScale({ cardOoms = 0 }: RestartBudget): number {
  return 0.5 ** cardOoms;
}

function awaitsOf(ended: ExitClass): Pick<Extract<RestartDecision, { kind: 'restart' }>, 'awaits'> {
  if (ended === 'gpu-lost') return { awaits: { need: 'healthy', limitMs: null } };
  return ended === 'gpu-oom' ? { awaits: { need: 'memory', limitMs: FREEING_MS } } : {};
}

/** A launch after the end of another one, which no operator asked for. */
export function countRelaunch(budget: RestartBudget): RestartBudget {
  return { ...budget, relaunches: (budget.relaunches ?? 0) + 1 };
}

/** Progress does not undo it: at the full rate the run would diverge again. What was relaunched is history. */
function lasting({ divergences, cardOoms, relaunches }: RestartBudget): Partial<RestartBudget> {
  return {
    ...(cardOoms === undefined ? {} : { cardOoms }),
    ...(divergences === undefined ? {} : { divergences }),
    ...(relaunches === undefined ? {} : { relaunches }),
  };
}

/** @param random uniform in [0, 1), for the jitter. */
export function decideRestart(
  budget: RestartBudget,
  attempt: EndedAttempt,
  settings: RestartSettings,
  random: number,
): RestartDecision {
  const { classification } = attempt;
  const scales = classification.class === 'diverged' && attempt.adapts;
  const outcome = scales ? undefined : ENDS[classification.class];
  if (outcome !== undefined) return { kind: 'end', budget, outcome, reason: classification.reason };
  // Nobody's fault: neither the counters nor the cap on restarts know of it.
  if (classification.class === 'power-cut') {
    return { kind: 'restart', budget, delayMs: 0, stepBackFrom: null, reason: classification.reason };
  }
  // The card's fault, and not the checkpoint's: it is launched again when the card is cool.
  if (classification.class === 'overheated') {
    const awaits = { need: 'cool', limitMs: COOLING_MS } as const;
    return { kind: 'restart', budget, delayMs: 0, stepBackFrom: null, awaits, reason: classification.reason };
  }
  const divergences = (budget.divergences ?? 0) + (scales ? 1 : 0);
  if (divergences > MAX_DIVERGENCES) {
    const reason = `${classification.reason}, although the learning rate was scaled by ${learningRateScale(budget)}`;
    return { kind: 'end', budget, outcome: 'diverged', reason };
  }

  const shrinks = classification.class === 'gpu-oom' && attempt.adaptsBatch === true;
  const cardOoms = (budget.cardOoms ?? 0) + (shrinks ? 1 : 0);
  const learned = { ...(scales ? { divergences } : {}), ...(shrinks ? { cardOoms } : {}) };
  const counted = { ...count(budget, attempt), ...learned };
  if (cardOoms > MAX_CARD_OOMS) {
    return giveUp(
      count(budget, attempt),
      `out of GPU memory again, with batches of ${batchScale(budget)} of their size`,
    );
  }
  if (classification.class === 'gpu-lost' && settings.waitForGpu !== true) {
    return { kind: 'end', budget: counted, outcome: 'gpu-lost', reason: classification.reason };
  }
  const lacked = shrinks ? undefined : LACKED[classification.class];
  if (lacked !== undefined && budget.hostOomRetried && attempt.progress === 'none') {
    return giveUp(counted, `out of ${lacked} again, without progress since the last time`);
  }
  if (counted.withoutProgress >= MAX_WITHOUT_PROGRESS) {
    return giveUp(counted, `${counted.withoutProgress} attempts in a row without progress`);
  }
  if (settings.maxRestarts !== null && budget.restarts >= settings.maxRestarts) {
    return giveUp(counted, `the limit of ${settings.maxRestarts} restarts is reached`);
  }
  return {
    kind: 'restart',
    budget: { ...counted, restarts: counted.restarts + 1 },
    delayMs: backoffMs(counted.withoutProgress + (counted.crashSaves ?? 0), settings.backoff, random),
    stepBackFrom: stepBackPoint(counted, attempt.resumedFrom),
    ...awaitsOf(classification.class),
    reason: shrinks
      ? `from here on batches have ${batchScale(counted)} of their size: ${classification.reason}`
      : scales
        ? `${classification.reason}; from here on the learning rate is scaled by ${learningRateScale(counted)}`
        : classification.reason,
  };
}

/** The resume point was moved back: the older checkpoint starts with a clean count. */
export function creditStepBack(budget: RestartBudget): RestartBudget {
  return { ...budget, fromSameCheckpoint: 0, stepsBack: budget.stepsBack + 1 };
}

/**
 * 0 for the first restart since progress, then `initialMs` doubling up to `maxMs`, +-`jitter`.
 * @param attempts in a row without regular progress
 */
export function backoffMs(attempts: number, backoff: RestartSettings['backoff'], random: number): number {
  if (attempts <= 1) return 0;
  const plain = Math.min(backoff.maxMs, backoff.initialMs * 2 ** (attempts - 2));
  return Math.round(plain * (1 + backoff.jitter * (2 * random - 1)));
}

function count(budget: RestartBudget, attempt: EndedAttempt): RestartBudget {
  if (attempt.progress === 'regular') return budget;
  const blames = !INNOCENT.has(attempt.classification.class);
  if (attempt.progress === 'by-crash') {
    return blames ? { ...budget, crashSaves: (budget.crashSaves ?? 0) + 1 } : budget;
  }
  return {
    ...budget,
    withoutProgress: budget.withoutProgress + 1,
    fromSameCheckpoint: budget.fromSameCheckpoint + (blames ? 1 : 0),
    hostOomRetried: budget.hostOomRetried || LACKED[attempt.classification.class] !== undefined,
  };
}

/** Sequence to set aside if an older checkpoint verifies, once the attempt that resumed from it is counted; null: none. */
export function stepBackPoint(budget: RestartBudget, resumedFrom: number | null): number | null {
  const isDue = budget.fromSameCheckpoint >= CRASHES_PER_CHECKPOINT && budget.stepsBack < MAX_STEPS_BACK;
  return isDue ? resumedFrom : null;
}

function giveUp(budget: RestartBudget, reason: string): RestartDecision {
  return { kind: 'end', budget, outcome: 'gave-up', reason };
}
