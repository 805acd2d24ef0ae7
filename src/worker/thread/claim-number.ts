/** The claim that this process commits under; it rises when a new supervisor adopts the worker. */

export class ClaimNumber {
  #current: number;
  #waiting: (() => void)[] = [];

  constructor(current: number) {
    this.#current = current;
  }

  get current(): number {
    return this.#current;
  }

  /** Lower numbers are ignored: claims only rise. */
  raise(claim: number): void {
    if (claim <= this.#current) return;
    this.#current = claim;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves once the claim is above `claim`. @throws the signal's reason when it is aborted first. */
  async above(claim: number, signal: AbortSignal): Promise<void> {
    while (this.#current <= claim) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
