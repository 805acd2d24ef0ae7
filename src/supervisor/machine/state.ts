/**
 * The states of a supervised session. Each carries only what is legal in it; what outlives an attempt stands in the
 * ledger, what belongs to one launch of the worker in the launch.
 */
import type { Phase } from '../../protocol/messages.ts';
import type { RestartBudget, StoppedBy } from '../../words.ts';
import type { Outcome, StopStage } from '../events.ts';
import type { WorkerEnd } from '../worker-end.ts';
import type { Classification } from './classify.ts';
import type { CardNeed } from './effect.ts';
import type { Beat } from './hang.ts';

/** Survives attempts and, through `session.json` and SQLite, the supervisor. */
export interface Ledger {
  /** Number of the newest attempt. */
  readonly attempt: number;
  readonly budget: RestartBudget;
  /** Highest step that any attempt reported. */
  readonly lastStep: number;
  /** Longest save observed, start to durable; for the grace of a stop. */
  readonly longestSaveMs: number;
  /** The operator's first stop signal; once set, nothing is launched any more. */
  readonly stopSignal: NodeJS.Signals | null;
  /** The next launch is a restart of ours, and not the first that the operator asked for. */
  readonly relaunches?: boolean;
  /** Who asked for the stop, where it was no signal: `nkat-recover stop: <reason>`. */
  readonly stopReason: string | null;
  /** Missing: nobody asked. */
  readonly stoppedBy?: StoppedBy | undefined;
}

/** One launch of the worker. */
export interface Launch {
  readonly attempt: number;
  readonly resumedFrom: number | null;
  /** Supervisor time of the launch, or of the adoption. */
  readonly launchedAtMs: number;
  readonly connected: boolean;
  readonly done: boolean;
  /** Why the save that was to answer the stop request failed. */
  readonly stopFailure: string | null;
  /** `adapts`: the trainer goes on with a scaled learning rate. */
  readonly diverged: { readonly step: number; readonly loss: string; readonly adapts: boolean } | null;
  readonly hungForMs: number | null;
  /** It takes smaller batches where a card's memory was full; missing: it does not. */
  readonly adaptsBatch?: boolean;
  /** Why we stop it for a card that is too hot; missing: we do not. */
  readonly overheated?: string;
  /** Newest durable checkpoint of this launch. */
  readonly lastSaved: { readonly sequence: number; readonly verified: boolean } | null;
  /** Sequence of the save that answered the stop request. */
  readonly confirmed: number | null;
}

interface Alive {
  readonly ledger: Ledger;
  readonly launch: Launch;
}

export interface Opening {
  readonly kind: 'opening';
  readonly ledger: Ledger;
}
/** A live worker of an earlier supervisor was found; we wait for it to connect. */
export interface Adopting extends Alive {
  readonly kind: 'adopting';
  /**
   * Null: it has connected, and what it is to resume from is being chosen, however long that takes; or it never spoke
   * and may be a script without the SDK, whose end is found by looking.
   */
  readonly deadlineMs: number | null;
  readonly spoke: boolean;
  /** The worker that has connected and that nobody has welcomed yet; null: none has. */
  readonly unwelcomed: { readonly phase: Phase; readonly step: number } | null;
}
export interface Preflight {
  readonly kind: 'preflight';
  readonly ledger: Ledger;
  readonly stepBackFrom: number | null;
}
/** Launched, not connected. A worker without the SDK stays here to its end. */
export interface Starting extends Alive {
  readonly kind: 'starting';
}
export interface Running extends Alive {
  readonly kind: 'running';
  readonly beat: Beat;
  /** False while the worker's channel is down and it may be reconnecting. */
  readonly online: boolean;
}
export interface Saving extends Alive {
  readonly kind: 'saving';
  readonly beat: Beat;
  readonly online: boolean;
  readonly savingSinceMs: number;
}
export interface Stopping extends Alive {
  readonly kind: 'stopping';
  readonly stage: Exclude<StopStage, 'reaching'>;
  readonly cause: 'operator' | 'hang' | 'heat';
  readonly deadlineMs: number;
  /** Request id of the emergency save; null where none was asked for. */
  readonly request: string | null;
  readonly acknowledged: boolean;
  /** A hung worker has begun to save as it ends, and was given time for that. */
  readonly saveBegun: boolean;
}
/** The worker ended, or must end now; its group is being emptied. */
export interface Reaping extends Alive {
  readonly kind: 'reaping';
  readonly end: WorkerEnd | null;
}
export interface Classifying extends Alive {
  readonly kind: 'classifying';
  readonly end: WorkerEnd;
}
/** The checkpoint on which the outcome rests is being verified. */
export interface Confirming {
  readonly kind: 'confirming';
  readonly ledger: Ledger;
  readonly sequence: number;
  readonly outcome: Outcome;
  readonly reason: string;
  readonly classification: Classification;
}
export interface BackingOff {
  readonly kind: 'backing-off';
  readonly ledger: Ledger;
  readonly untilMs: number;
  readonly stepBackFrom: number | null;
}
/** The last attempt ended for its card's sake; the next one is launched when that is fit for it. */
export interface AwaitingCard {
  readonly kind: 'awaiting-card';
  readonly ledger: Ledger;
  readonly need: CardNeed;
  /** Launched then in any case; null: not before the card is fit. */
  readonly untilMs: number | null;
  readonly stepBackFrom: number | null;
}
export interface Ended {
  readonly kind: 'ended';
  readonly ledger: Ledger;
  readonly outcome: Outcome;
  readonly reason: string;
}

export type State =
  | Opening
  | Adopting
  | Preflight
  | Starting
  | Running
  | Saving
  | Stopping
  | Reaping
  | Classifying
  | Confirming
  | BackingOff
  | AwaitingCard
  | Ended;

export function newLaunch(attempt: number, resumedFrom: number | null, launchedAtMs: number): Launch {
  return {
    attempt,
    resumedFrom,
    launchedAtMs,
    connected: false,
    done: false,
    diverged: null,
    stopFailure: null,
    hungForMs: null,
    lastSaved: null,
    confirmed: null,
  };
}
