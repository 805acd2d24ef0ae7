/** Writes of the index that wait for its file, oldest first, and those who wait for what becomes of them. */
import { troubleOf } from './sqlite-errors.ts';
import type { Write } from './write-batch.ts';

/** Writes kept while the disk takes none; the oldest go first, the directories still know what they said. */
const MAX_KEPT_WRITES = 10_000;

export class KeptWrites {
  #writes: Write[] = [];
  #lost = 0;
  readonly #onDropped: (reason: string) => void;

  /** @param onDropped a write was lost for itself: its session is not in the index, or its caller did not wait for it */
  constructor(onDropped: (reason: string) => void) {
    this.#onDropped = onDropped;
  }

  /** How many were lost so far. */
  get lost(): number {
    return this.#lost;
  }

  get isEmpty(): boolean {
    return this.#writes.length === 0;
  }

  keep(write: Write): void {
    this.#writes.push(write);
    if (this.#writes.length <= MAX_KEPT_WRITES) return;
    this.#writes.shift()?.settle?.resolve('dropped');
    this.#lost += 1;
  }

  oldest(count: number): readonly Write[] {
    return this.#writes.slice(0, count);
  }

  /** These, the oldest, have met their fate. */
  done(batch: readonly Write[], failures: ReadonlyMap<Write, unknown>): void {
    this.#writes.splice(0, batch.length);
    for (const write of batch) this.#settle(write, failures.has(write), failures.get(write));
  }

  /** Who waits for a write goes on; the write stays. */
  releaseCallers(): void {
    for (const write of this.#writes) {
      write.settle?.resolve('queued');
      write.settle = null;
    }
  }

  /** Nothing is written any more. */
  giveUp(): void {
    this.releaseCallers();
    this.#lost += this.#writes.length;
    this.#writes = [];
  }

  #settle(write: Write, failed: boolean, error: unknown): void {
    if (!failed) {
      write.settle?.resolve('written');
      return;
    }
    const reason = error instanceof Error ? error.message : String(error);
    if (write.settle === null || troubleOf(error) === 'no-parent') {
      this.#lost += 1;
      write.settle?.resolve('dropped');
      this.#onDropped(reason);
    } else {
      write.settle.reject(error);
    }
  }
}
