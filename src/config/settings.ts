/** Settings of a supervised run, after all layers were merged. Units stand in the names. */
import type { UpsAddress } from '../ups-address.ts';

export interface RunSettings {
  /** Checkpoint root; the session's directory is `<root>/<id>`. */
  readonly root: string;
  /** Root of best-model backups. */
  readonly backups: string;
  readonly save: {
    readonly every: 'auto' | number | null;
    readonly everySteps: number | null;
    readonly everyEpochs: number | null;
    /** Share of training time that `auto` may take. */
    readonly overhead: number;
  };
  /** False: training waits until each save is durable. */
  readonly asyncSave: boolean;
  readonly best: { readonly metric: string; readonly mode: 'min' | 'max' } | null;
  /** What training does while its checkpoints find no room. */
  readonly onFullDisk: 'continue' | 'pause';
  /** By how much a metric must beat the best so far; null: as the trainer says. */
  readonly bestMinDelta: number | null;
  readonly keep: number;
  readonly maxBytes: number | null;
  /** Cap on all restarts of a session; null: unlimited while there is progress. */
  readonly maxRestarts: number | null;
  readonly noRestartCodes: readonly number[];
  readonly backoff: { readonly initialMs: number; readonly maxMs: number; readonly jitter: number };
  readonly stop: {
    /** Null: max(60 s, 3 x longest observed save), at most 15 min. */
    readonly graceMs: number | null;
    readonly terminateMs: number;
    /** Bound of every wait after SIGKILL. */
    readonly killWaitMs: number;
  };
  readonly hang: {
    /** Least silence that counts as a hang in phase train; the limit is max(this, 10 x the smoothed step time). */
    readonly trainMs: number;
    /** Limit of load, compile, eval, save and of the first step. */
    readonly otherMs: number;
  };
  /** How long the power has to hold before a session that was cut again soon after a recovery is launched. */
  readonly powerSettleMs: number;
  /** UPS that is watched, by its NUT server; null: none. */
  readonly ups: UpsAddress | null;
  /** How long a worker trains on without a supervisor; null: for ever. */
  readonly orphanLimitMs: number | null;
  readonly requireGpu: boolean;
  /** Limits for this kind of card in place of its own; null: its own. */
  readonly gpuProfile: 'rtx3080' | null;
  /** A session whose GPU is lost waits until it is healthy again, instead of ending. */
  readonly waitForGpu: boolean;
  /** The switches of TensorFlow that make a run repeat itself. */
  readonly deterministic: boolean;
  readonly allowFresh: boolean;
}

/** Defaults of design section 3 and issue text; root and backups come from the state home. */
export const DEFAULT_SETTINGS: Omit<RunSettings, 'root' | 'backups'> = {
  save: { every: 'auto', everySteps: null, everyEpochs: null, overhead: 0.005 },
  asyncSave: true,
  best: null,
  onFullDisk: 'continue',
  bestMinDelta: null,
  keep: 5,
  maxBytes: null,
  maxRestarts: null,
  noRestartCodes: [],
  backoff: { initialMs: 5_000, maxMs: 300_000, jitter: 0.2 },
  stop: { graceMs: null, terminateMs: 5_000, killWaitMs: 30_000 },
  hang: { trainMs: 60_000, otherMs: 600_000 },
  powerSettleMs: 60_000,
  ups: null,
  orphanLimitMs: null,
  requireGpu: false,
  gpuProfile: null,
  waitForGpu: false,
  deterministic: false,
  allowFresh: false,
};
