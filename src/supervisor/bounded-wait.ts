/** A bound on waiting that only counts time in which we ourselves ran. */
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
/** One poll never counts for more: what is longer was spent stopped (SIGSTOP, a suspended machine). */
const MOST_PER_POLL_MS = 1_000;

export class BoundedWait {
  readonly #limitMs: number;
  #waitedMs = 0;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  get waitedMs(): number {
    return this.#waitedMs;
  }

  get isOver(): boolean {
    return this.#waitedMs >= this.#limitMs;
  }

  async poll(): Promise<void> {
    const startedAt = performance.now();
    await sleep(POLL_MS);
    this.#waitedMs += Math.min(MOST_PER_POLL_MS, performance.now() - startedAt);
  }
}
