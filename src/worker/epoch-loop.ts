/** The epochs of a run and the batches in them, taken up where the checkpoint left them. */
import { type BatchOptions, batchCount, batchesOf, type TakingData } from './batches.ts';
import type { Ending } from './ending.ts';
import { fitting } from './fitting.ts';
import type { DataFacts, PassStart } from './position.ts';
import type { Metrics } from './run.ts';
import { markBoundary, type RunParts } from './run-parts.ts';
import { usage } from './usage.ts';
import { EPOCH_OVER } from './warnings.ts';

export interface EpochLoopOptions {
  readonly parts: RunParts;
  readonly ending: Ending;
  /** Of the run; shuffles the batches that name none. */
  readonly seed: number;
}

export class EpochLoop {
  readonly #parts: RunParts;
  readonly #ending: Ending;
  readonly #seed: number;
  #noted = false;
  #entered = false;

  constructor({ parts, ending, seed }: EpochLoopOptions) {
    this.#parts = parts;
    this.#ending = ending;
    this.#seed = seed;
  }

  /** Yields the number of each epoch that is left. @throws NkatError `usage` */
  *epochs(count: number): Generator<number, void, void> {
    if (!Number.isSafeInteger(count) || count < 0) throw usage(`epochs takes a whole number, not ${count}`, 'train');
    const { memory, notes, boundary } = this.#parts;
    notes.epochCount = count;
    this.#entered = true;
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
      begin: (facts) => ({ start: this.#beginPass(facts), pass: position.pass }),
      yielded: (sample) => position.yielded(sample),
      ended: () => this.#parts.boundary.phase('eval'),
    });
  }

  /** A step is made; after the end of its epoch it is warned of. */
  stepped(): void {
    if (this.#entered && this.#parts.memory.position.startsEpochOver) this.#parts.warnings.once(EPOCH_OVER);
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
    const start = fitting({ ending: this.#ending, warnings }, () => memory.position.beginPass(facts));
    notes.batchesInPass = batchCount(facts);
    if (start.kind === 'completed') return start;
    if (start.takenUp) memory.takeUp();
    if (start.differs !== null) warnings.say(`the data changed since the checkpoint: ${start.differs}`);
    clock.interrupted();
    boundary.phase('train');
    return start;
  }
}
