/** What a trainer sees of its run. */
import type { BatchOptions, TakingData } from './batches.ts';
import type { RandomGenerator } from './random.ts';
import type { ReportedProgress } from './reported-progress.ts';
import type { SaveOutcome } from './save-in-flight.ts';
import type { TrainingState } from './state.ts';

/** Numbers by name. Names become columns of the history and keys of the checkpoint's metrics. */
export type Metrics = Readonly<Record<string, number>>;

/** The checkpoint that this launch goes on from. */
export interface ResumedFrom {
  readonly sequence: number;
  readonly step: number;
  /** Epochs completed, hence the number of the epoch that is taken up, from 0. */
  readonly epoch: number;
  /** True when it was made in mid-epoch: code at the head of that epoch runs a second time. */
  readonly insideEpoch: boolean;
  /** What `run.progress` had said by then; null: nothing. */
  readonly progress: ReportedProgress | null;
}

export interface ManualSave {
  /** `manual` unless named; own words of `[a-z0-9-]`, at most 32 characters. */
  readonly kind?: string;
  /** Several kinds in one commit; takes the place of `kind`. */
  readonly kinds?: readonly string[];
  readonly reason?: string;
}

export interface BestByOptions {
  /** By how much a value must beat the best so far, in units of the metric. Default 0: any improvement counts. */
  readonly minDelta?: number;
}

export interface EpochOptions {
  /** Steps in each epoch, for `stepsLeft()`: a loop that makes its steps without `batches()`. */
  readonly stepsPerEpoch?: number;
}

export interface Interruption {
  readonly reason: string | null;
}

export interface Run {
  readonly session: string;
  /** Number of this launch within the session, from 1. */
  readonly attempt: number;
  /** The session's checkpoint directory. */
  readonly directory: string;
  /**
   * True while `nkat-recover drill` rehearses a recovery: the state is put back and a few steps are made in a scratch folder.
   * Leave out what is to happen once in a run and not in a rehearsal: uploads, messages, files that others read.
   */
  readonly drilling: boolean;
  /** The operator wants no training without a GPU. */
  readonly requireGpu: boolean;
  /** Steps completed over all launches. */
  readonly steps: number;
  /** Epochs completed over all launches, hence the number of the present epoch, from 0. */
  readonly epoch: number;
  /**
   * What to multiply the learning rate with: 1, or less after divergences, where `connect({ adapts: true })` was
   * called. `tfjsState` and its schedules have it applied; rates of your own need it: `rate * run.learningRateScale`.
   */
  readonly learningRateScale: number;
  /**
   * What to multiply the size of batches with: 1, or less after the memory of a GPU was full, where `connect({ adaptsBatch: true })`
   * was called. `batches` has it applied; batches of your own need it.
   */
  readonly batchScale: number;
  /** Null: a fresh start. Exact after `restore()`. */
  readonly resumed: ResumedFrom | null;
  readonly fresh: boolean;
  /** Seeded generator; its state is part of every checkpoint and is put back when training is taken up. */
  readonly random: RandomGenerator;

  /**
   * Names the state to save, and puts the resume point back into it; on a fresh start nothing is changed. Call it
   * once, after the model is built and `keep` was called, before `epochs`.
   * @throws NkatError `state-mismatch` when the checkpoint does not fit.
   */
  restore(state: TrainingState): Promise<void>;

  /**
   * The epochs that are left of `count`, numbered from 0. After a resume in mid-epoch that epoch comes again: what
   * stands between here and `batches()` or `stepsLeft()` runs a second time, with the random states that it had at
   * first. Without either, an epoch that was saved in its middle is trained again from its head; that is told.
   * @throws NkatError `usage`
   */
  epochs(count: number, options?: EpochOptions): Generator<number, void, void>;

  /**
   * The steps that are left of this epoch, numbered from 0 in the epoch: for data that is no array (a stream, an
   * environment, samples that are made). After a resume in mid-epoch from the saved step on; the number is the place
   * to go on from in your data. Needs `epochs(count, { stepsPerEpoch })`; once in each epoch. Make `step()` the last
   * thing in the loop's body.
   * @throws NkatError `usage`; `state-mismatch` when the number of steps differs in the middle of an epoch, or when
   *   the checkpoint is from the middle of `batches()`.
   */
  stepsLeft(): Generator<number, void, void>;

  /**
   * Batches of one pass over the data, in an order drawn from seed and epoch; after a resume in mid-epoch from the
   * saved place on. Make `step()` the last thing in the loop's body: what follows it is in no checkpoint.
   * @param data array-like, or anything with `length` and `take(indices)`.
   * @throws NkatError `state-mismatch` when length, size or seed differ from those of a pass taken up in its middle.
   */
  batches<B>(data: TakingData<B>, options: BatchOptions): Generator<B, void, void>;
  batches<T>(data: ArrayLike<T>, options: BatchOptions): Generator<T[], void, void>;

  /**
   * The step boundary: call it after each update of the weights, and await it. Saves, emergency saves, pauses and stops
   * happen here. Returns nothing to wait for unless 5 ms have passed since the event loop last had its turn.
   * @throws NkatError `diverged` when `metrics.loss` is not finite; nothing is saved from then on.
   */
  step(metrics?: Metrics): Promise<void> | undefined;

  /** The epoch boundary. The best-model rule looks at `metrics`. A best model is read here, whole. */
  epochEnd(metrics?: Metrics): Promise<void>;

  /**
   * Training is done: makes the final checkpoint, waits until it was read back and reports it.
   * @throws NkatError when it could not be saved.
   */
  complete(): Promise<void>;

  /** Makes `Math.random` a seeded generator whose state is saved like that of `random`. */
  seedMathRandom(): void;

  /**
   * Lets an object survive: its contents are saved with every checkpoint and put back in place. Plain objects, arrays,
   * Maps, Sets and typed arrays, holding what the state may hold.
   * @throws NkatError `state-not-serializable` naming the key that cannot be saved.
   */
  keep<T extends object>(name: string, object: T): T;

  /**
   * A number that depends on the clock or the machine, such as images per second: shown beside the metrics, and noted
   * with each checkpoint. It stands in no history, for two runs that train alike are to have equal digests.
   * @throws NkatError `usage` when the value is no number
   */
  gauge(name: string, value: number): void;

  /**
   * The trainer cannot go on as it is set up (its data are not there, or are others): prints the words and ends the
   * process with 78, without a stack and without a save. The supervisor does not start it again.
   * @param message what, where and why
   * @param hint what to do, as a sentence
   */
  refuse(message: string, hint?: string): never;

  /** Mean of a step metric over the present epoch; NaN before its first step. */
  mean(metric: string): number;

  /** A step metric over all steps, NaN where it was not given; `learning-rate` is kept where the state has one. */
  history(metric: string): Float64Array<ArrayBuffer>;

  /** The same over all epochs, for the metrics given to `epochEnd`. */
  epochHistory(metric: string): Float64Array<ArrayBuffer>;

  /**
   * Work without epochs says how far it is; `list`, `show` and the live line show it, and it is saved with every
   * checkpoint (see `run.resumed.progress`). A sign of life like a step; saves, stops and pauses happen in `step` alone,
   * so call that too wherever the state is whole.
   * @param percent from 0 to 100
   * @param stage what is being done, at most 256 characters
   * @param results numbers found so far
   * @throws NkatError `usage`
   */
  progress(percent: number, stage?: string | null, results?: Metrics): void;

  /**
   * Says what is going on, for the supervisor's time limits: loading, compiling, evaluating. `train` begins by itself
   * with the first batch, `eval` with the end of the pass.
   */
  phase(name: 'load' | 'compile' | 'train' | 'eval'): void;

  /** Best-model rule, unless the operator set another: an epoch with a better `metric` is saved as `best`. */
  bestBy(metric: string, mode: 'min' | 'max', options?: BestByOptions): void;

  /**
   * Saves now; call it between steps and await it. Resolves when the checkpoint survives a power cut, or with why it
   * could not be made.
   */
  save(options?: ManualSave): Promise<SaveOutcome>;

  /**
   * `stop`: before the emergency save. `pause`: before waiting. What the listener changes is part of the save. `release`: the memory of
   * a card is nearly used up; free what training can do without (caches, tensors kept for a picture), between two steps.
   */
  on(event: 'pause' | 'stop' | 'release', listener: (interruption: Interruption) => void | Promise<void>): void;
}
