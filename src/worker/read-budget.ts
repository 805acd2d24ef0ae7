/** How much of the training time the reading of a save may take. */
import { readBudgetMs } from './save-policy.ts';

/** Share of the training time while a save is read: 512 MiB are read within about 7 s. */
const SHARE = 0.02;
/**
 * Where saves follow one another at once. The writer, too, costs training time (it hashes and writes all of it, and reads it back): a save
 * that takes longer comes more rarely, and training keeps 95 % of its speed.
 */
const BACK_TO_BACK_SHARE = 0.008;

export class ReadBudget {
  #creditMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;
  #share = SHARE;
  #begunAtMs = 0;
  #ended: { readonly atMs: number; readonly tookMs: number } | null = null;

  /** A save's reading begins. Rarer than it takes itself: it is read quickly, so that little work is at stake meanwhile. */
  begin(nowMs: number): void {
    const rested = this.#ended === null || nowMs - this.#ended.atMs >= this.#ended.tookMs;
    this.#share = rested ? SHARE : BACK_TO_BACK_SHARE;
    this.#begunAtMs = nowMs;
  }

  /** The save that was begun last is durable, or was given up. */
  end(nowMs: number): void {
    this.#ended = { atMs: nowMs, tookMs: nowMs - this.#begunAtMs };
  }

  /**
   * Milliseconds of reading at this step: a share of the time since the last look, saved up to what one step may take
   * at the most (4 ms, or 1 % of a long step), so that neither a stall nor a run of short steps hurts training.
   */
  allow(nowMs: number, stepMs: number): number {
    const most = readBudgetMs(stepMs);
    this.#creditMs = Math.min(most, this.#creditMs + this.#share * Math.max(0, nowMs - this.#lastMs));
    this.#lastMs = nowMs;
    return Math.max(0, this.#creditMs);
  }

  spent(ms: number): void {
    this.#creditMs -= ms;
  }
}
