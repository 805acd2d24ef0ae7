/** What a step may make the trainer wait for: a turn of the event loop, or orders that are being obeyed. Each once. */
import type { StepClock } from './step-clock.ts';

export class Turns {
  readonly #clock: StepClock;
  #turn: Promise<void> | null = null;
  #obeying: Promise<void> | null = null;

  constructor(clock: StepClock) {
    this.#clock = clock;
  }

  /** True while something is to be waited for: a step made now was not preceded by an await. */
  get open(): boolean {
    return this.#turn !== null || this.#obeying !== null;
  }

  /**
   * A turn of the event loop: a resolved promise would let no input in.
   * @param over called once, before whoever waits goes on
   */
  yield(over: () => void = () => undefined): Promise<void> {
    if (this.#turn !== null) {
      over();
      return this.#turn;
    }
    this.#turn = new Promise((resolve) => {
      setImmediate(() => {
        this.#turn = null;
        this.#clock.yielded(performance.now());
        over();
        resolve();
      });
    });
    return this.#turn;
  }

  /** Not twice at a time: a stop that is under way must not be begun again by a step that nobody waited for. */
  obey(work: () => Promise<void>): Promise<void> {
    this.#obeying ??= work().finally(() => {
      this.#obeying = null;
    });
    return this.#obeying;
  }
}
