/** Which random generators a run carries, and when their saved states are put back. */
import { type RandomState, type StatefulRandom, seededRandom } from './random.ts';

/** Stream of the generator behind `Math.random`, apart from the one of `run.random`. */
const MATH_STREAM = 0x4d617468;

interface Both {
  readonly run: RandomState;
  readonly math: RandomState;
}

export interface RandomSaved {
  /** At the start of the present epoch: code between `epochs()` and `batches()` runs again on resume. */
  readonly epochStart: Both;
  readonly now: Both;
}

/** `run.random` and the generator that may replace `Math.random`; separate, so that neither disturbs the other. */
export class RandomSlots {
  readonly run: StatefulRandom;
  readonly #math: StatefulRandom;
  #epochStart: Both;

  constructor(seed: number) {
    this.run = seededRandom(seed);
    this.#math = seededRandom(seed, MATH_STREAM);
    this.#epochStart = this.#now();
  }

  /** Replaces the global `Math.random` of this thread. */
  replaceMathRandom(): void {
    Math.random = this.#math.generator;
  }

  /** An epoch begins afresh. */
  markEpochStart(): void {
    this.#epochStart = this.#now();
  }

  state(): RandomSaved {
    return { epochStart: this.#epochStart, now: this.#now() };
  }

  putBack(saved: Both): void {
    this.run.putBack(saved.run);
    this.#math.putBack(saved.math);
  }

  #now(): Both {
    return { run: this.run.state(), math: this.#math.state() };
  }
}
