/** What a transition asks the acting parts to do, as data. */
import type { StoppedBy } from '../../words.ts';
import type { StopStage } from '../events.ts';
import type { Evidence, WorkerEnd } from '../worker-end.ts';
import type { Classification } from './classify.ts';

/** What a launch waits for. */
export type CardNeed = 'cool' | 'healthy' | 'memory';

export type Effect =
  /** Choose what to resume from; answers `checkpoint-chosen` or `no-checkpoint`. */
  | { readonly type: 'choose-checkpoint'; readonly stepBackFrom: number | null }
  /** Record the attempt, then launch; answers `spawn-failed` or, in time, `worker-connected` or `worker-ended`. */
  | { readonly type: 'launch-worker'; readonly attempt: number; readonly resumedFrom: number | null }
  /** Welcome the worker that connected: with its resume point, or with the new claim when it was welcomed before. */
  | { readonly type: 'welcome-worker' }
  | { readonly type: 'request-stop'; readonly request: string; readonly reason: string; readonly graceMs: number }
  | { readonly type: 'signal-group'; readonly signal: NodeJS.Signals }
  /** SIGKILL the recorded group until it is empty, bounded; answers `group-gone` or `group-unkillable`. */
  | { readonly type: 'reap-group' }
  | { readonly type: 'gather-evidence'; readonly end: WorkerEnd }
  | {
      readonly type: 'record-attempt-end';
      readonly attempt: number;
      readonly end: WorkerEnd;
      readonly evidence: Evidence;
      readonly classification: Classification;
      /** ISO 8601; missing: just now. */
      readonly endedAt?: string | undefined;
    }
  /** Verify the checkpoint on which the outcome rests; answers `confirmation`. */
  | { readonly type: 'confirm-checkpoint'; readonly sequence: number }
  | {
      readonly type: 'announce-stop';
      readonly signal: NodeJS.Signals;
      /** Null: the signal says it all. */
      readonly reason: string | null;
      readonly by?: StoppedBy | undefined;
      readonly stage: StopStage;
      readonly deadlineMs: number;
      readonly lastStepAgeMs: number | null;
    }
  /** Look at the cards until one is fit for a launch; answers `card-ready`. */
  | { readonly type: 'await-card'; readonly need: CardNeed; readonly reason: string }
  | { readonly type: 'announce-hang'; readonly phase: string; readonly silentMs: number; readonly limitMs: number }
  /** The launch found no room, no process or no descriptor, and is tried again. */
  | { readonly type: 'announce-launch-wait'; readonly attempt: number; readonly reason: string }
  | {
      readonly type: 'announce-restart';
      readonly delayMs: number;
      readonly reason: string;
      readonly withoutProgress: number;
      readonly crashSaves: number;
    };

export type Step<S> = { readonly state: S; readonly effects: readonly Effect[] };
