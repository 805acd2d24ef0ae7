/**
 * The seam between the SDK's core and what it saves. `nkat-recover/tfjs` implements it for tfjs models; a trainer
 * may implement it for anything that is tensors plus JSON.
 */
import type { Dtype, TensorSpec } from '../checkpoint/types.ts';

/** Anything that `encodeState` accepts: JSON plus NaN, Infinity, -0, undefined, bigint, typed arrays, Map, Set, Date. */
export type StateValue = unknown;

/** One tensor of a snapshot. */
export interface SnapshotTensor extends TensorSpec {
  /**
   * Copies as many of the tensor's bytes as `target` holds, from byte `from` on; little-endian, row-major. Called for one
   * piece after the other over many steps, always with the values that the tensor had when the snapshot was taken.
   */
  read(target: Uint8Array, from: number): void;
}

/** The state as it was at one step boundary; later training does not change it. */
export interface Snapshot {
  readonly tensors: readonly SnapshotTensor[];
  readonly json: StateValue;
  /** Frees what the snapshot holds; called exactly once, after the last read or when the save is given up. */
  release(): void;
}

/** A tensor as it comes back. */
export interface SavedTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface SavedState {
  readonly tensors: ReadonlyMap<string, SavedTensor>;
  readonly json: StateValue;
}

export interface TrainingState {
  /** Framework and device, for the manifest and the screen: `tfjs-wasm`. */
  readonly backend: string;
  /** For the manifest: `{ tfjs: '4.22.0' }`. */
  readonly versions: Readonly<Record<string, string>>;
  /** Called at a step boundary only. Must be cheap: references, not copies. */
  snapshot(): Snapshot;
  /**
   * Puts a saved state back, or throws one `NkatError('state-mismatch')` that names every missing, extra and wrongly
   * shaped tensor; then nothing was changed.
   */
  restore(saved: SavedState): void;
  /** The learning rate of the step just made, for the history; undefined where there is none. */
  learningRate?(): number | undefined;
  /**
   * The share of its usual learning rate that training goes on with; called once, before `restore`. A restored rate was
   * saved with a share of its own, which this one takes the place of.
   */
  scaleLearningRate?(scale: number): void;
  /**
   * All else is back too: position, history, and what the trainer keeps. A learning rate that is read from those is right
   * only now. Not called where there was nothing to restore.
   */
  restored?(): void;
  /** Called by `run.step()` after the counter moved: schedules and averages advance here. */
  afterStep?(step: number): void;
  /**
   * Training stands at a step boundary: remember what `isMarked` compares. Called at each boundary, so it may take a
   * few microseconds. A state that is changed in place leaves both out: nothing would tell the change.
   */
  mark?(): void;
  /** True while nothing of the state was changed since `mark`. A run that dies between two steps is saved only then. */
  isMarked?(): boolean;
  /** Memory that the framework holds, for the manifest of an emergency save: bytes and counts by name. */
  memory?(): Readonly<Record<string, number>>;
}
