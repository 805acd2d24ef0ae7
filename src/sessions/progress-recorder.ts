/** Progress comes several times a second; the index gets at most one row a second, and always the last. */
import type { ProgressPatch } from './types.ts';

const LEAST_INTERVAL_MS = 1_000;

export interface ProgressClock {
  /** Milliseconds that only go forward. */
  now(): number;
  /** Calls back once after `ms`. @returns what cancels it. */
  schedule(callback: () => void, ms: number): () => void;
}

export const processClock: ProgressClock = {
  now: () => performance.now(),
  schedule(callback, ms) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export class ProgressRecorder {
  readonly #write: (patch: ProgressPatch) => void;
  readonly #clock: ProgressClock;
  #pending: ProgressPatch | null = null;
  #lastWriteAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;

  /** @param write puts one patch into the index. */
  constructor(write: (patch: ProgressPatch) => void, clock: ProgressClock = processClock) {
    this.#write = write;
    this.#clock = clock;
  }

  /** Written at once when the last row is a second old, else when it will be, unless a newer one comes. */
  record(patch: ProgressPatch): void {
    this.#pending = patch;
    const dueInMs = this.#lastWriteAt + LEAST_INTERVAL_MS - this.#clock.now();
    if (dueInMs <= 0) this.flush();
    else this.#cancel ??= this.#clock.schedule(() => this.flush(), dueInMs);
  }

  /** Writes what is pending now: at the end of an attempt, before a row that must not be newer than it. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    const patch = this.#pending;
    if (patch === null) return;
    this.#pending = null;
    this.#lastWriteAt = this.#clock.now();
    this.#write(patch);
  }
}
