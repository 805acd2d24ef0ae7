/** Batches of one pass over the data, in seeded order, from the place where the checkpoint was made. */
import { NkatError } from '../errors.ts';
import type { DataFacts } from './data-facts.ts';
import type { PassStart } from './position.ts';
import { sampleOrder } from './sample-order.ts';

/** Data that gathers its own batches, such as tensors. */
export interface TakingData<B> {
  readonly length: number;
  /** A batch of the samples with these numbers, in this order. */
  take(indices: Int32Array): B;
}

export interface BatchOptions {
  /** Samples a batch. */
  readonly size: number;
  /** Order of the samples, together with the number of the epoch; null: as they come. Default: the run's seed. */
  readonly seed?: number | null;
  /** Leave out a last batch of fewer samples. Default false. */
  readonly drop?: boolean;
}

export interface PassSettings {
  readonly epoch: number;
  readonly options: Required<BatchOptions>;
  /** What the size is multiplied with. The place in the pass counts in samples, so another scale may take it up in its middle. Default 1. */
  readonly scale?: number;
  /** Tells the run that a pass begins. */
  begin(data: DataFacts): { readonly start: PassStart; readonly pass: number };
  yielded(sample: number): void;
  ended(): void;
}

export function* batchesOf<T, B>(
  data: ArrayLike<T> | TakingData<B>,
  { epoch, options, scale = 1, begin, yielded, ended }: PassSettings,
): Generator<T[] | B, void, void> {
  const { size: asked, seed, drop } = options;
  const { length } = data;
  if (!Number.isSafeInteger(asked) || asked < 1) throw usage(`size must be a whole number from 1, not ${asked}`);
  if (seed !== null && !Number.isSafeInteger(seed)) throw usage(`seed must be a whole number or null, not ${seed}`);
  const { start, pass } = begin({ length, size: asked, seed, drop });
  const size = scaled(asked, scale);
  if (start.kind === 'completed') return;
  const order = sampleOrder(length, seed, epoch, pass);
  try {
    for (let first = start.sample; first < length; first += size) {
      const end = Math.min(first + size, length);
      if (drop && end - first < size) break;
      yielded(end);
      const indices = order.slice(first, end);
      yield takes(data) ? data.take(indices) : gathered(data, indices);
    }
  } finally {
    // Also when the trainer leaves the loop early.
    ended();
  }
}

/** Batches in a whole pass. */
export function batchCount({ length, size: asked, drop, unit }: DataFacts, scale = 1): number {
  const size = unit === 'step' ? asked : scaled(asked, scale);
  return drop ? Math.floor(length / size) : Math.ceil(length / size);
}

function scaled(size: number, scale: number): number {
  return Math.max(1, Math.floor(size * scale));
}

function takes<T, B>(data: ArrayLike<T> | TakingData<B>): data is TakingData<B> {
  return 'take' in data && typeof data.take === 'function';
}

function gathered<T>(data: ArrayLike<T>, indices: Int32Array): T[] {
  const batch = new Array<T>(indices.length);
  for (let at = 0; at < indices.length; at++) batch[at] = data[indices[at] as number] as T;
  return batch;
}

function usage(message: string): NkatError {
  return new NkatError(message, { code: 'usage', operation: 'make batches' });
}
