/** Hands readings to the index, many at once: it is only for curves, and a write a second would cost more than it tells. */
import type { GpuSample } from '../../gpu/sample.ts';
import { Downsampling, type SampleRow } from './downsampling.ts';

const WRITE_EVERY_MS = 10_000;
const PRUNE_EVERY_MS = 60_000;

export interface SampleRecorderOptions {
  /** @param nowSeconds rows that are too old by then may go; null: not this time */
  readonly write: (rows: readonly SampleRow[], nowSeconds: number | null) => void;
  readonly now: () => Date;
  readonly nowMs: () => number;
}

export class SampleRecorder {
  readonly #options: SampleRecorderOptions;
  readonly #downsampling = new Downsampling();
  #waiting: SampleRow[] = [];
  #writtenMs: number;
  #prunedMs = Number.NEGATIVE_INFINITY;

  constructor(options: SampleRecorderOptions) {
    this.#options = options;
    this.#writtenMs = options.nowMs();
  }

  take(sample: GpuSample): void {
    const { now, nowMs } = this.#options;
    const card = sample.values.uuid ?? `index:${sample.values.index}`;
    const rows = this.#downsampling.take(card, sample.values, now().getTime() / 1000);
    this.#waiting.push(...rows);
    if (nowMs() - this.#writtenMs >= WRITE_EVERY_MS) this.#write();
  }

  /** What is not written yet. */
  close(): void {
    this.#waiting.push(...this.#downsampling.finish());
    this.#write();
  }

  #write(): void {
    const { write, now, nowMs } = this.#options;
    this.#writtenMs = nowMs();
    if (this.#waiting.length === 0) return;
    const prunes = nowMs() - this.#prunedMs >= PRUNE_EVERY_MS;
    if (prunes) this.#prunedMs = nowMs();
    write(this.#waiting, prunes ? Math.floor(now().getTime() / 1000) : null);
    this.#waiting = [];
  }
}
