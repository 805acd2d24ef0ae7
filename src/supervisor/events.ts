/**
 * What a supervisor tells the world: the screen, the log and the events table read the same stable words.
 * Past tense; durations in milliseconds.
 */
import type { Candidate } from '../checkpoint/types.ts';
import type { Going } from '../power/logind-policy.ts';
import type { PowerCut } from '../power/power-cut.ts';
import type { UpsPower } from '../power/ups-policy.ts';
import type { RestartBudget, StoppedBy } from '../words.ts';
import type { ExitClass } from './machine/classify.ts';

export interface SaveFacts {
  readonly sequence: number;
  readonly step: number;
  readonly epoch: number;
  readonly kinds: readonly string[];
  readonly reason: string | null;
  readonly bytes: number;
  readonly digest: string;
  readonly path: string;
  readonly stallMs: number;
  readonly writeMs: number;
}

export interface Report {
  readonly percent: number;
  readonly stage: string | null;
  readonly results: Readonly<Record<string, number>>;
}

/** What a card that the worker may use shows at this moment. */
export interface CardFacts {
  readonly index: number;
  /** Null: the card does not tell. */
  readonly temperatureC: number | null;
  readonly utilizationPercent: number | null;
}

/**
 * `slowed`: training stands still for a share of the time; `held`: all of it; `freed`: full pace again. `saved`, `released`: the worker
 * was asked to. `stopped`: it is ended with an emergency save. `awaited`: a launch waits for the card; `went-on`: it waits no longer.
 */
export type CardAction = 'slowed' | 'held' | 'freed' | 'saved' | 'released' | 'stopped' | 'awaited' | 'went-on';

export interface ProgressFacts {
  readonly phase: string;
  readonly epoch: number;
  readonly epochs: number | null;
  readonly step: number;
  readonly totalSteps: number | null;
  readonly percent: number | null;
  readonly loss: number | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly stepsPerSecond: number | null;
  readonly bestMetric: { readonly name: string; readonly value: number } | null;
  readonly skippedSaves: number;
  /** Why no steps are made, on purpose; null: they are. */
  readonly waiting: 'space' | 'pause' | 'heat' | null;
  /** What work without epochs says of itself; null or missing: nothing. */
  readonly report?: Report | null;
  /** What its framework held after a step, bytes and counts by name; null or missing: it does not tell. */
  readonly memory?: { readonly step: number; readonly figures: Readonly<Record<string, number>> } | null;
  /** Wall-clock ISO time of the newest durable checkpoint of this session; null: none yet. */
  readonly lastDurableAt: string | null;
  /** Milliseconds since the newest durable save, by a clock that nobody sets; null: there is none. */
  readonly lastDurableAgeMs: number | null;
  readonly attempt: number;
  /** Share of the time in which training stands still for a card's sake; missing: it does not. */
  readonly throttle?: number;
  /** Missing: no card is watched. */
  readonly cards?: readonly CardFacts[];
}

export interface CheckpointPlace {
  readonly sequence: number;
  readonly epoch: number;
  readonly step: number;
}

export interface Summary {
  readonly trainedMs: number;
  /** Time between a worker's end and its successor's first step, summed. */
  readonly lostMs: number;
  readonly stepsLost: number;
  /** The work that is lost with them: what was told at each choice of a checkpoint, summed. */
  readonly workLostMs: number;
  readonly attempts: number;
  readonly attemptsByClass: Readonly<Record<string, number>>;
  /** True: an earlier supervisor launched the worker, so that its times are those since the adoption. */
  readonly adopted?: boolean;
  /** The checkpoint that the newest launch went on from; null or missing: none. */
  readonly wentOnFrom?: CheckpointPlace | null;
  readonly saves: number;
  readonly failedSaves: number;
  readonly bestMetric: { readonly name: string; readonly value: number } | null;
  readonly digest: string | null;
  /** The newest of this run that still counts: not one that was set aside or quarantined. */
  readonly lastCheckpoint: SaveFacts | null;
}

/** How a supervised session ended; `src/cli/exit-codes.ts` maps it to an exit code. */
export type Outcome =
  | 'completed'
  | 'gave-up'
  | 'diverged'
  | 'config-error'
  | 'fatal'
  | 'stopped-saved'
  | 'stopped-unsaved'
  | 'no-checkpoint'
  | 'store-missing'
  | 'unkillable'
  | 'gpu-lost'
  | 'internal';

/** `reaching`: an adopted worker has yet to connect; the request to save follows. */
export type StopStage = 'reaching' | 'saving' | 'terminating' | 'killing';

export type SupervisorEvent =
  | {
      readonly name: 'session-opened';
      readonly session: string;
      readonly sessionName: string | null;
      readonly fresh: boolean;
      readonly adopted: boolean;
      readonly directory: string;
      readonly backups: string;
      readonly log: string;
      /** Words for how often it saves: "auto (10 s to 300 s)". */
      readonly saving: string;
      readonly trainer: string;
      /** On record, and what this supervisor goes on from. */
      readonly budget: RestartBudget;
    }
  | { readonly name: 'trainer-changed'; readonly trainer: string }
  /** `unknown`: nothing is heard of the UPS. */
  | { readonly name: 'ups-changed'; readonly ups: string; readonly power: UpsPower; readonly reason: string }
  /** The machine is about to shut down or to sleep, and waits for a save. */
  | { readonly name: 'machine-going'; readonly going: Going }
  /** It slept. */
  | { readonly name: 'machine-woke' }
  /** The machine was booted again while the session ran; `attempt` is the newest one before it. */
  | ({ readonly name: 'power-cut'; readonly attempt: number } & PowerCut)
  | {
      readonly name: 'checkpoint-chosen';
      readonly sequence: number;
      readonly step: number;
      readonly epoch: number;
      readonly reason: string;
      readonly candidates: readonly Candidate[];
      readonly stepsLost: number;
      /** Age of the checkpoint against the last known step, in ms of work; null: not known. */
      readonly lostMs: number | null;
    }
  /** Told each second while a checkpoint is read before it is trusted, where that takes long. */
  | {
      readonly name: 'checkpoint-verifying';
      readonly sequence: number;
      readonly step: number | null;
      readonly readBytes: number;
      readonly totalBytes: number;
      /** Since the reading of candidates began. */
      readonly elapsedMs: number;
    }
  | { readonly name: 'checkpoint-quarantined'; readonly sequence: number; readonly to: string; readonly reason: string }
  | { readonly name: 'checkpoint-set-aside'; readonly sequence: number; readonly reason: string }
  | { readonly name: 'attempt-started'; readonly attempt: number; readonly pid: number }
  | {
      readonly name: 'worker-connected';
      readonly attempt: number;
      readonly pid: number;
      readonly adopted: boolean;
      /** Of a worker that has restored its state already, as in `training-started`; null or missing: it has not. */
      readonly backend?: string | null;
      /** How many loader processes it says that it keeps running; null or missing: it does not say. */
      readonly loaders?: number | null;
    }
  | {
      readonly name: 'training-started';
      readonly attempt: number;
      readonly sequence: number | null;
      readonly step: number;
      readonly epoch: number;
      readonly backend: string | null;
      readonly restoreMs: number;
    }
  /** First step after a recovery. */
  | { readonly name: 'recovered'; readonly attempt: number; readonly step: number; readonly downMs: number }
  | ({ readonly name: 'progress' } & ProgressFacts)
  | {
      readonly name: 'save-started';
      readonly step: number;
      readonly kinds: readonly string[];
      readonly reason: string | null;
    }
  | ({ readonly name: 'saved' } & SaveFacts)
  | ({ readonly name: 'checkpoint-verified' } & SaveFacts)
  | {
      readonly name: 'save-failed';
      readonly step: number;
      readonly kinds: readonly string[];
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly name: 'stop-requested';
      readonly signal: string;
      /** Who asked, where it was no signal: `nkat-recover stop: <reason>`. */
      readonly reason?: string | null;
      /** Missing: the operator. */
      readonly by?: StoppedBy | undefined;
      readonly stage: StopStage;
      readonly deadlineMs: number;
      readonly lastStepAgeMs: number | null;
    }
  | {
      readonly name: 'worker-ended';
      readonly attempt: number;
      readonly class: ExitClass;
      readonly code: number | null;
      readonly signal: string | null;
      readonly reason: string;
      /** What the operator can do about it; null or missing: nothing in particular. */
      readonly hint?: string | null;
      /** Last lines of its stderr. */
      readonly lastLines: readonly string[];
      readonly lastStep: number;
      /** On record, once this end is counted in it. */
      readonly budget: RestartBudget;
    }
  /** What the cards showed before a crash or an emergency save is kept in this file. */
  | {
      readonly name: 'snapshot-kept';
      readonly attempt: number;
      readonly why: 'crash' | 'emergency-save';
      readonly path: string;
    }
  | {
      readonly name: 'restart-planned';
      readonly delayMs: number;
      readonly reason: string;
      readonly withoutProgress: number;
      /** Attempts in a row that came further only by the emergency save of their own crash. */
      readonly crashSaves?: number;
    }
  | { readonly name: 'hang-detected'; readonly phase: string; readonly silentMs: number; readonly limitMs: number }
  /** Something that wants the operator's attention, told once when it begins: the likely cause, and the cure. */
  | { readonly name: 'warning'; readonly code: string; readonly message: string; readonly hint: string | null }
  /** What a warning of this code told is over. */
  | { readonly name: 'warning-ended'; readonly code: string; readonly message: string }
  /** Something is done for a card's sake. */
  | {
      readonly name: 'gpu-acted';
      readonly action: CardAction;
      /** `GPU 0`; null: it is about no single card. */
      readonly card: string | null;
      readonly uuid: string | null;
      /** Of the time, in which training stands still from now on; null: that is as it was. */
      readonly share: number | null;
      /** Why, in words with the numbers. */
      readonly reason: string;
    }
  /** This machine has no card, or no nvidia-smi: nothing is watched, and nothing is asked again in this run. */
  | { readonly name: 'cards-absent'; readonly message: string }
  /** What makes training slower than it need be, with the evidence, told once: nothing is wrong. */
  | {
      readonly name: 'advice';
      readonly code: string;
      readonly phase: 'train' | 'eval';
      readonly message: string;
      readonly hint: string;
    }
  | { readonly name: 'diverged'; readonly step: number; readonly loss: string; readonly adapts: boolean }
  | { readonly name: 'notice'; readonly level: 'info' | 'warning' | 'error'; readonly message: string }
  /** One line of the worker's own output. */
  | { readonly name: 'output'; readonly stream: 'stdout' | 'stderr'; readonly line: string }
  | {
      readonly name: 'session-ended';
      readonly outcome: Outcome;
      readonly reason: string;
      readonly hint: string | null;
      readonly lastLines: readonly string[];
      readonly summary: Summary;
    };

export type EventNamed<N extends SupervisorEvent['name']> = Extract<SupervisorEvent, { name: N }>;
