/** How much of the training time the reading of a save may take. */
import { readBudgetMs } from './save-policy.ts';

/** Share of the training time while a save is read: 512 MiB are read within about 3 s. */
const SHARE = 0.02;

export class ReadBudget {
  #creditMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;

  /**
   * Milliseconds of reading at this step: a share of the time since the last look, saved up to what one step may take
   * at the most (4 ms, or 1 % of a long step), so that neither a stall nor a run of short steps hurts training.
   */
  allow(nowMs: number, stepMs: number): number {
    const most = readBudgetMs(stepMs);
    this.#creditMs = Math.min(most, this.#creditMs + SHARE * Math.max(0, nowMs - this.#lastMs));
    this.#lastMs = nowMs;
    return Math.max(0, this.#creditMs);
  }

  spent(ms: number): void {
    this.#creditMs -= ms;
  }
}
