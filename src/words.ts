/** Words that several folders share although they do not import one another. */

export const SESSION_STATES = [
  'running',
  'orphaned',
  'interrupted',
  'crashed',
  'cut',
  'gave-up',
  'completed',
  'gpu-lost',
] as const;
export type SessionState = (typeof SESSION_STATES)[number];

/** Somebody was at work when this was written down. */
export function isOpenState(state: SessionState): boolean {
  return state === 'running' || state === 'orphaned';
}

const UNASKED_KINDS: readonly string[] = ['auto', 'best'];

/** A save of these kinds is made by itself: nobody waits for it, and the next one follows. */
export function isUnasked(kinds: readonly string[]): boolean {
  return kinds.every((kind) => UNASKED_KINDS.includes(kind));
}

/** Who asked a session to stop: a person (or a program of theirs), the machine as it goes down, or its battery. */
export const STOPPED_BY = ['operator', 'shutdown', 'ups'] as const;
export type StoppedBy = (typeof STOPPED_BY)[number];

/** Durable counters of the restart policy (design section 3, "Restart policy"). */
export interface RestartBudget {
  /** Highest step of a verified checkpoint so far; progress is a verified checkpoint above it. -1: none yet. */
  readonly highestVerifiedStep: number;
  /** Ended attempts in a row without progress, whatever their class. */
  readonly withoutProgress: number;
  /** Crashes in a row without progress from the present resume point. */
  readonly fromSameCheckpoint: number;
  /** How often the resume point was stepped back since the last progress. */
  readonly stepsBack: number;
  /** All restarts of this session, for `maxRestarts`. */
  readonly restarts: number;
  /** The one free retry without progress after a host-oom or heap-oom was used. */
  readonly hostOomRetried: boolean;
  /** How often a trainer that adapts has diverged; the learning rate is halved each time. Missing: never. */
  readonly divergences?: number;
  /** How often the memory of a card was full under a trainer that takes smaller batches; halved each time. Missing: never. */
  readonly cardOoms?: number;
  /** Attempts in a row whose only progress was the emergency checkpoint that they made as they died. Missing: none. */
  readonly crashSaves?: number;
  /** Launches that nobody asked for, of the whole session: what `list` calls restarts. Missing: not counted then. */
  readonly relaunches?: number;
  /**
   * Who raised `highestVerifiedStep`: a supervisor that dies must not take with it that the attempt which outlives it made
   * progress. `regular`: not merely as it died. Missing: not known.
   */
  readonly progressedBy?: { readonly attempt: number; readonly regular: boolean };
}

/** Of a session before its first launch. */
export const FRESH_BUDGET: RestartBudget = {
  highestVerifiedStep: -1,
  withoutProgress: 0,
  fromSameCheckpoint: 0,
  stepsBack: 0,
  restarts: 0,
  hostOomRetried: false,
  relaunches: 0,
};
