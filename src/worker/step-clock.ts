/** Times of the training loop: how long a step takes, when the event loop last had its turn. */

/** Weight of the newest step in the smoothed step time. */
const NEWEST_WEIGHT = 0.1;
/** Longest time in milliseconds between two turns of the event loop. */
const YIELD_AFTER_MS = 5;

export class StepClock {
  #lastStepMs: number | null = null;
  #smoothedMs = 0;
  #yieldedMs = 0;

  /** Smoothed time between two steps, in milliseconds. */
  get stepMs(): number {
    return this.#smoothedMs;
  }

  step(nowMs: number): void {
    if (this.#lastStepMs !== null) {
      const taken = nowMs - this.#lastStepMs;
      this.#smoothedMs = this.#smoothedMs === 0 ? taken : this.#smoothedMs + NEWEST_WEIGHT * (taken - this.#smoothedMs);
    }
    this.#lastStepMs = nowMs;
  }

  /** The time since the last step was no step: a pause, an evaluation. */
  interrupted(): void {
    this.#lastStepMs = null;
  }

  yieldDue(nowMs: number): boolean {
    return nowMs - this.#yieldedMs >= YIELD_AFTER_MS;
  }

  yielded(nowMs: number): void {
    this.#yieldedMs = nowMs;
  }
}
