/** The epochs of a run and the batches in them, taken up where the checkpoint left them. */
import { type BatchOptions, batchCount, batchesOf, type TakingData } from './batches.ts';
import type { DataFacts } from './data-facts.ts';
import type { Ending } from './ending.ts';
import { fitting } from './fitting.ts';
import type { PassStart } from './position.ts';
import type { EpochOptions, Metrics } from './run.ts';
import { markBoundary, type RunParts } from './run-parts.ts';
import { stepsLeftOf } from './steps-left.ts';
import { usage } from './usage.ts';
import { BATCH_SHARED, EPOCH_OVER, stepsMadeAgain } from './warnings.ts';

export interface EpochLoopOptions {
  readonly parts: RunParts;
  readonly ending: Ending;
  /** Of the run; shuffles the batches that name none. */
  readonly seed: number;
  /** What the size of batches is multiplied with: a card's memory was too small for them. */
  readonly batchScale: number;
}

export class EpochLoop {
  readonly #parts: RunParts;
  readonly #ending: Ending;
  readonly #seed: number;
  readonly #batchScale: number;
  #noted = false;
  #entered = false;
  #stepsPerEpoch: number | null = null;
  #countedEpoch: number | null = null;

  constructor({ parts, ending, seed, batchScale }: EpochLoopOptions) {
    this.#parts = parts;
    this.#ending = ending;
    this.#seed = seed;
    this.#batchScale = batchScale;
  }

  /** Yields the number of each epoch that is left. @throws NkatError `usage` */
  *epochs(count: number, { stepsPerEpoch }: EpochOptions): Generator<number, void, void> {
    if (!Number.isSafeInteger(count) || count < 0) throw usage(`epochs takes a whole number, not ${count}`, 'train');
    if (stepsPerEpoch !== undefined && (!Number.isSafeInteger(stepsPerEpoch) || stepsPerEpoch < 1)) {
      throw usage(`stepsPerEpoch must be a whole number from 1, not ${stepsPerEpoch}`, 'train');
    }
    const { memory, notes, boundary } = this.#parts;
    notes.epochCount = count;
    this.#entered = true;
    this.#stepsPerEpoch = stepsPerEpoch ?? null;
    if (stepsPerEpoch !== undefined) {
      notes.batchesInPass = stepsPerEpoch;
      memory.position.countsSteps(stepsPerEpoch);
    }
    while (memory.position.epoch < count) {
      const { epoch } = memory.position;
      memory.epochBegins();
      markBoundary(this.#parts);
      this.#noted = false;
      yield epoch;
      // A trainer that has nothing to say at the end of an epoch may leave `epochEnd` out.
      if (!this.#noted) this.#count({});
    }
    boundary.phase('eval');
  }

  batches<T, B>(data: ArrayLike<T> | TakingData<B>, options: BatchOptions): Generator<T[] | B, void, void> {
    const { position } = this.#parts.memory;
    const { size, seed = this.#seed, drop = false } = options;
    return batchesOf(data, {
      epoch: position.epoch,
      options: { size, seed, drop },
      scale: this.#batchScale,
      begin: (facts) => ({ start: this.#beginPass(facts), pass: position.pass }),
      yielded: (sample) => position.yielded(sample),
      ended: () => {
        position.passEnded();
        this.#parts.boundary.phase('eval');
      },
    });
  }

  /** Yields the number of each step that is left in this epoch. @throws NkatError `usage` */
  stepsLeft(): Generator<number, void, void> {
    const { position } = this.#parts.memory;
    const stepsPerEpoch = this.#stepsPerEpoch;
    if (stepsPerEpoch === null) {
      throw usage('stepsLeft needs to know how many steps there are: run.epochs(count, { stepsPerEpoch })', 'train');
    }
    if (this.#countedEpoch === position.epoch) throw usage('stepsLeft was called before in this epoch', 'train');
    this.#countedEpoch = position.epoch;
    return stepsLeftOf(stepsPerEpoch, {
      begin: (facts) => this.#beginPass(facts),
      yielded: (steps) => position.yielded(steps),
      made: () => position.step,
      ended: () => this.#parts.boundary.phase('eval'),
    });
  }

  /** A step is about to be made; after the end of its epoch it is warned of. */
  stepping(): void {
    if (this.#entered && this.#parts.memory.position.startsEpochOver) this.#parts.warnings.once(EPOCH_OVER);
  }

  /** A step was made; a second one of the same batch is warned of. */
  stepped(): void {
    if (this.#parts.memory.position.sharesBatch) this.#parts.warnings.once(BATCH_SHARED);
  }

  /** The trainer says that the epoch is over. */
  ended(metrics: Metrics): void {
    this.#noted = true;
    this.#count(metrics);
  }

  #count(metrics: Metrics): void {
    this.#parts.memory.mark.begin();
    this.#parts.notes.epoch(metrics);
    markBoundary(this.#parts);
  }

  #beginPass(facts: DataFacts): PassStart {
    const { memory, notes, warnings, clock, boundary } = this.#parts;
    const start = fitting(this.#ending, null, () => memory.position.beginPass(facts));
    notes.batchesInPass = batchCount(facts, this.#batchScale);
    notes.isScaled = this.#batchScale < 1;
    if (start.kind === 'completed') return start;
    if (start.takenUp) memory.takeUp();
    if (start.differs !== null) warnings.say(`the data changed since the checkpoint: ${start.differs}`);
    if (start.stepsAgain > 0) warnings.say(stepsMadeAgain(start.stepsAgain));
    clock.interrupted();
    boundary.phase('train');
    return start;
  }
}
