/** Messages between the training loop and the SDK's thread; structured clones inside one process, so unversioned. */
import type { SessionIdentity, TensorSpec, TrainerFacts } from '../../checkpoint/types.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Phase, ResumePoint, SavePolicy } from '../../protocol/messages.ts';
import type { ReportedProgress } from '../reported-progress.ts';

/** How the thread finds its session. */
export type ThreadMode =
  | {
      readonly kind: 'supervised';
      readonly socket: string;
      readonly token: string;
      readonly session: string;
      readonly attempt: number;
      /** The trainer takes smaller batches where a card's memory was full. */
      readonly adaptsBatch: boolean;
      /** How many loader processes it keeps running; null: it does not say. */
      readonly loaders: number | null;
    }
  | {
      readonly kind: 'alone';
      readonly root: string;
      readonly backups: string;
      readonly rootsFile: string;
      /** The state home. */
      readonly home: string;
      readonly backupRootsFile: string;
      readonly identity: SessionIdentity;
      readonly policy: SavePolicy;
      readonly allowFresh: boolean;
    };

/** What the training loop learns when the session is its to train; also what a restarted thread goes on with. */
export interface SessionFacts {
  readonly session: string;
  readonly attempt: number;
  readonly claim: number;
  /** The session's checkpoint directory. */
  readonly directory: string;
  readonly backups: string;
  readonly resume: ResumePoint | null;
  readonly policy: SavePolicy;
  readonly requireGpu: boolean;
  /** What a trainer that adapts multiplies its learning rate with. */
  readonly learningRateScale: number;
  /** What a trainer that takes smaller batches multiplies their size with. */
  readonly batchScale: number;
  readonly trainer: TrainerFacts | null;
  /** This is a rehearsal, and ends there; null: it is not. */
  readonly drill: DrillOrder | null;
}

/** How far a rehearsal goes. */
export interface DrillOrder {
  readonly step: number;
  /** Epochs completed at the boundary that is meant, where the end of an epoch has more than one of that step; null: any. */
  readonly epoch: number | null;
  /** The state there is to be saved. */
  readonly save: boolean;
  /** The first save is to find a full disk. */
  readonly fullDisk: boolean;
}

/** `workerData` of the thread. */
export interface ThreadStart {
  readonly mode: ThreadMode;
  readonly control: SharedArrayBuffer;
  /** Set when this thread replaces one that crashed: the session goes on under the same claim. */
  readonly resumed: { readonly facts: SessionFacts; readonly lastSaved: number | null } | null;
}

/** What a save is, known when it begins. Kinds and reason may still change until it is finished. */
export interface SaveBegin {
  readonly type: 'save-begin';
  readonly id: number;
  readonly step: number;
  readonly epoch: number;
  readonly kinds: readonly string[];
  readonly reason: string | null;
  readonly requests: readonly string[];
  readonly metrics: Readonly<Record<string, number>>;
  /** Further figures for the manifest's `memory`. */
  readonly memory: Readonly<Record<string, number>>;
  readonly backend: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorSpec[];
  readonly bytes: number;
}

/** The next chunk of the tensors' file lies in the shared memory; the slot is the thread's until `save-slot`. */
export interface SaveChunk {
  readonly type: 'save-chunk';
  readonly id: number;
  readonly slot: number;
  readonly bytes: number;
}

export interface SaveFinish {
  readonly type: 'save-finish';
  readonly id: number;
  readonly state: string;
  readonly kinds: readonly string[];
  readonly reason: string | null;
  /** Time taken from the training loop. */
  readonly stallMs: number;
}

/** A save that came to nothing before the writer had a part in it. */
export interface SaveRefused {
  readonly type: 'save-refused';
  readonly step: number;
  readonly kinds: readonly string[];
  readonly requests: readonly string[];
  readonly code: string;
  readonly message: string;
}

/** What the progress report needs beyond the control block. */
export interface ProgressFacts {
  readonly type: 'progress-facts';
  readonly epochs: number | null;
  readonly totalSteps: number | null;
  readonly loss: number | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly best: { readonly name: string; readonly value: number } | null;
  readonly skippedSaves: number;
  readonly report: ReportedProgress | null;
  /** What the framework held after that step; null: it does not tell. */
  readonly memory: { readonly step: number; readonly figures: Readonly<Record<string, number>> } | null;
}

export type ToThread =
  | { readonly type: 'load' }
  | {
      readonly type: 'restored';
      readonly sequence: number | null;
      readonly step: number;
      readonly epoch: number;
      readonly backend: string | null;
      readonly ms: number;
      readonly versions: Readonly<Record<string, string>>;
    }
  | SaveBegin
  | SaveChunk
  | SaveFinish
  /** Further requests that a save in flight will answer. */
  | { readonly type: 'save-join'; readonly id: number; readonly requests: readonly string[] }
  | { readonly type: 'save-abort'; readonly id: number; readonly code: string; readonly message: string }
  | SaveRefused
  | ProgressFacts
  | { readonly type: 'phase'; readonly phase: Phase }
  | {
      readonly type: 'diverged';
      readonly step: number;
      readonly loss: 'NaN' | 'Infinity' | '-Infinity';
      readonly adapts: boolean;
    }
  | {
      readonly type: 'done';
      readonly step: number;
      readonly epoch: number;
      readonly metrics: Readonly<Record<string, number>>;
      readonly sequence: number | null;
    }
  | {
      readonly type: 'drilled';
      readonly step: number;
      readonly epoch: number;
      readonly loss: number | null;
      readonly completed: boolean;
    }
  | { readonly type: 'notice'; readonly level: 'info' | 'warning' | 'error'; readonly message: string }
  /** Orderly end of this launch, for `session.json` of a session that runs alone. */
  | { readonly type: 'ended'; readonly state: 'completed' | 'interrupted' }
  /** Answered with `flushed` when all that was posted before has been done and sent. */
  | { readonly type: 'flush'; readonly id: number };

export type ToLoop =
  | { readonly type: 'welcome'; readonly facts: SessionFacts; readonly mode: ThreadMode['kind'] }
  | { readonly type: 'rewelcome'; readonly facts: SessionFacts }
  | {
      readonly type: 'tensor';
      readonly name: string;
      readonly dtype: TensorSpec['dtype'];
      readonly shape: readonly number[];
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  /** The checkpoint failed in mid-load: what came of it is void, another follows. */
  | { readonly type: 'load-again' }
  | { readonly type: 'loaded'; readonly resume: ResumePoint; readonly state: string }
  | { readonly type: 'fresh' }
  | {
      readonly type: 'save-requested';
      readonly request: string;
      readonly kinds: readonly string[];
      readonly reason: string | null;
    }
  | {
      readonly type: 'stop-requested';
      readonly request: string;
      readonly reason: string | null;
      /** `process.hrtime.bigint()`: the loop may come to it much later. */
      readonly arrivedAt: bigint;
    }
  | { readonly type: 'pause'; readonly reason: string | null }
  | { readonly type: 'continue' }
  | { readonly type: 'release'; readonly reason: string | null }
  | {
      readonly type: 'throttle';
      readonly share: number;
      readonly leaseMs: number;
      readonly reason: string | null;
    }
  | SaveReport
  /** There is room for a save again. */
  | { readonly type: 'room' }
  | { readonly type: 'flushed'; readonly id: number }
  /** The session cannot go on in this process. `refusal` is the NkatError's data when `connect` is to throw it. */
  | { readonly type: 'exit'; readonly code: number; readonly message: string; readonly refusal: Refusal | null };

/** What the thread reports of saves and of the room for them. */
export type SaveNews = SaveReport | Extract<ToLoop, { type: 'room' }>;

/** What the thread reports of a save. */
export type SaveReport =
  /** The writer waits for its chunks. `headerBytes`: room to leave at the start of the file. */
  | {
      readonly type: 'save-ready';
      readonly id: number;
      readonly memory: SharedArrayBuffer;
      readonly headerBytes: number;
    }
  /** This chunk of the memory is free to be filled. */
  | { readonly type: 'save-slot'; readonly id: number; readonly slot: number }
  | { readonly type: 'save-durable'; readonly id: number; readonly sequence: number; readonly path: string }
  | { readonly type: 'save-settled'; readonly id: number; readonly verified: boolean; readonly message: string | null }
  | { readonly type: 'save-failed'; readonly id: number; readonly code: string; readonly message: string };

export interface Refusal {
  readonly code: ErrorCode;
  readonly operation: string;
  readonly path: string | null;
  readonly hint: string | null;
}
