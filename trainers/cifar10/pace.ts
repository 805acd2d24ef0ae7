/** Images a second, of the last second or so. */
const WINDOW_MS = 1000;

export class Pace {
  #sinceMs: number;
  #images = 0;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** Evaluation and the like do not count. */
  begins(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#images = 0;
  }

  /** @returns a new figure, or null while none is due */
  trained(images: number, nowMs: number): number | null {
    this.#images += images;
    const ms = nowMs - this.#sinceMs;
    if (ms < WINDOW_MS) return null;
    const perSecond = (this.#images * 1000) / ms;
    this.begins(nowMs);
    return perSecond;
  }
}
