/** One save as the training loop sees it, from the snapshot to the end, and what is told of it. */
import { bytesOf } from '../checkpoint/safetensors-header.ts';
import type { TensorSpec } from '../checkpoint/types.ts';
import type { ChunkFiller, SizedTensor } from './chunk-filler.ts';
import type { Deferred } from './deferred.ts';
import type { SnapshotTensor, StateValue } from './state.ts';

export type SaveOutcome =
  | { readonly status: 'durable'; readonly sequence: number; readonly path: string; readonly step: number }
  | { readonly status: 'failed'; readonly code: string; readonly message: string; readonly step: number };

/** What a save holds: tensors to read, JSON to encode now, and how to free the snapshot. */
export interface SaveContent {
  readonly tensors: readonly SnapshotTensor[];
  readonly json: StateValue;
  release(): void;
}

export interface SaveRequest {
  readonly step: number;
  readonly epoch: number;
  readonly kinds: readonly string[];
  readonly reason: string | null;
  readonly requests: readonly string[];
  readonly metrics: Readonly<Record<string, number>>;
  /** Further figures for the manifest's `memory`. */
  readonly memory: Readonly<Record<string, number>>;
  readonly backend: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Takes the snapshot. */
  readonly content: () => SaveContent;
}

export interface SaveInFlight {
  readonly id: number;
  readonly request: SaveRequest;
  readonly specs: readonly TensorSpec[];
  /** In the order of the file. */
  readonly tensors: readonly SizedTensor[];
  readonly bytes: number;
  readonly content: SaveContent;
  readonly state: string;
  kinds: readonly string[];
  reason: string | null;
  requests: readonly string[];
  /** Set when the thread has memory for it. */
  filler: ChunkFiller | null;
  stallMs: number;
  /** `waiting` behind another save; `reading`: announced to the thread, not all of it copied yet. */
  stage: 'waiting' | 'reading' | 'handed-over' | 'ended';
  /** Resolves when the loop has nothing more to do for it. */
  readonly handedOver: Deferred<void>;
  readonly outcome: Deferred<SaveOutcome>;
  readonly settled: Deferred<boolean>;
}

export interface SaveHandle {
  /** Resolves when all was read: from here on training cannot touch what is saved. */
  readonly handedOver: Promise<void>;
  readonly outcome: Promise<SaveOutcome>;
  /** True once it was read back, false when it failed before or by that. */
  readonly settled: Promise<boolean>;
}

export function handleOf({ handedOver, outcome, settled }: SaveInFlight): SaveHandle {
  return { handedOver: handedOver.promise, outcome: outcome.promise, settled: settled.promise };
}

/** Nobody asked for it and it is no model to keep: a newer one can take its place. */
export function isMerelyPeriodic({ requests, kinds }: SaveInFlight): boolean {
  return requests.length === 0 && kinds.every((kind) => kind === 'auto');
}

export function bytesIn({ name, dtype, shape }: TensorSpec): number {
  const bytes = bytesOf(dtype, shape);
  if (bytes === null) throw new RangeError(`tensor "${name}" has a shape that cannot be saved: [${shape.join(', ')}]`);
  return bytes;
}

/** The description alone, to be sent to the thread. */
export function specOf({ name, dtype, shape, mayBeNonFinite }: TensorSpec): TensorSpec {
  return { name, dtype, shape: [...shape], ...(mayBeNonFinite === undefined ? {} : { mayBeNonFinite }) };
}
