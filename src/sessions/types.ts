/** Rows of the index. Times are ISO 8601 in UTC, sizes bytes, durations milliseconds. */
import type { RestartBudget, SessionState } from '../words.ts';

export interface SessionRow {
  readonly id: string;
  readonly name: string | null;
  readonly state: SessionState;
  readonly trainer: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Checkpoint root; the session's directory is `<root>/<id>`. */
  readonly root: string;
  readonly backups: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly attempts: number;
  readonly epoch: number | null;
  readonly step: number | null;
  readonly totalSteps: number | null;
  readonly loss: number | null;
  readonly bestMetric: { readonly name: string; readonly value: number } | null;
  /** What work without epochs said of itself last; null: nothing. */
  readonly report: {
    readonly percent: number;
    readonly stage: string | null;
    readonly results: Readonly<Record<string, number>>;
  } | null;
  readonly checkpoints: number;
  readonly lastCheckpointAt: string | null;
  readonly lastCheckpointStep: number | null;
  readonly supervisorPid: number | null;
  readonly workerPid: number | null;
  readonly sourceDigest: string | null;
  readonly budget: RestartBudget | null;
}

/** What a session row says that its checkpoint rows do not: the rest of it follows from them. */
export type SessionUpsert = Omit<SessionRow, 'report' | 'checkpoints' | 'lastCheckpointAt' | 'lastCheckpointStep'>;

/** What may change in a session's life, beside its progress. */
export type SessionPatch = Partial<
  Pick<
    SessionRow,
    | 'state'
    | 'args'
    | 'attempts'
    | 'epoch'
    | 'step'
    | 'totalSteps'
    | 'loss'
    | 'bestMetric'
    | 'report'
    | 'supervisorPid'
    | 'workerPid'
    | 'sourceDigest'
    | 'budget'
  >
>;

/** The same line run again: one session per combination, the newest wins. */
export interface IdentityColumns {
  readonly cwd: string;
  readonly trainer: string;
  readonly args: readonly string[];
  readonly name: string | null;
}

export interface AttemptRow {
  readonly session: string;
  readonly number: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly class: string | null;
  readonly reason: string | null;
  /** JSON: what the class was concluded from. */
  readonly evidence: unknown;
  readonly resumedFromSequence: number | null;
  readonly firstStep: number | null;
  readonly lastStep: number | null;
  readonly pid: number | null;
  readonly groupPid: number | null;
  readonly startTime: string | null;
  readonly bootId: string | null;
}

/**
 * `missing`: its directory is not there and nobody told us why. `set-aside`: there, but passed over because its
 * launches crashed without progress.
 */
export const CHECKPOINT_STATES = ['durable', 'verified', 'quarantined', 'removed', 'set-aside', 'missing'] as const;
export type CheckpointState = (typeof CHECKPOINT_STATES)[number];

/** What is learned of an attempt after its row was written. */
export type AttemptPatch = Partial<Omit<AttemptRow, 'session' | 'number' | 'startedAt'>>;

export interface CheckpointRow {
  readonly session: string;
  readonly sequence: number;
  readonly step: number;
  readonly epoch: number;
  readonly kinds: readonly string[];
  readonly reason: string | null;
  readonly state: CheckpointState;
  readonly bytes: number;
  readonly createdAt: string;
  readonly digest: string;
  readonly path: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly parent: number | null;
  readonly attempt: number;
}

export interface TransitionRow {
  readonly session: string;
  readonly at: string;
  readonly attempt: number;
  readonly from: string;
  readonly event: string;
  readonly to: string;
  /** JSON of what the supervisor needs to know where it was. */
  readonly detail: unknown;
}

export interface EventRow {
  readonly session: string;
  readonly at: string;
  readonly attempt: number | null;
  /** A stable word, the same in logs and JSON. */
  readonly name: string;
  readonly detail: unknown;
}

export interface SaveRow {
  readonly session: string;
  readonly at: string;
  readonly attempt: number;
  readonly sequence: number | null;
  readonly step: number;
  readonly kinds: readonly string[];
  readonly outcome: 'saved' | 'failed' | 'skipped';
  readonly bytes: number;
  readonly stallMs: number;
  readonly writeMs: number;
  readonly message: string | null;
}

/** What one progress message changes; coalesced to one write a second. */
export interface ProgressPatch {
  readonly epoch: number;
  readonly step: number;
  readonly totalSteps: number | null;
  readonly loss: number | null;
}
