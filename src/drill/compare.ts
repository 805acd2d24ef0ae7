/** Two checkpoints bit by bit: what differs, and by how much. */
import { isDeepStrictEqual } from 'node:util';
import type { StoreFiles } from '../checkpoint/files.ts';
import { type OpenCheckpoint, openCheckpoint } from '../checkpoint/open.ts';
import { decodeState } from '../checkpoint/state-json.ts';
import type { Dtype, ManifestTensor } from '../checkpoint/types.ts';
import { isHistory } from './tensor-groups.ts';
import type { TensorDifference } from './types.ts';

export interface Comparison {
  readonly tensors: readonly TensorDifference[];
  readonly state: readonly string[];
}

/** Places in `state.json` that are told, at most. */
const NAMED_PLACES = 20;
/**
 * What `state.json` holds beside the state of training: figures of the metrics, and what rules of the operator's made of
 * them. A metric may be a time.
 */
const SIDE_FIGURES: ReadonlySet<string> = new Set(['best', 'metrics', 'report', 'means']);

/** @throws NkatError `checkpoint-damaged`, `checkpoint-unreadable`, `checkpoint-gone` */
export async function compareCheckpoints(
  files: StoreFiles,
  session: string,
  [first, second]: readonly [string, string],
): Promise<Comparison> {
  const one = await openCheckpoint(files, first, session);
  try {
    const other = await openCheckpoint(files, second, session);
    try {
      return { tensors: await tensorDifferences(one, other), state: await stateDifferences(one, other) };
    } finally {
      await other.close();
    }
  } finally {
    await one.close();
  }
}

/** One pair of tensors in memory at a time, and only where their digests differ. */
async function tensorDifferences(one: OpenCheckpoint, other: OpenCheckpoint): Promise<TensorDifference[]> {
  const others = new Map(other.manifest.tensors.map((tensor) => [tensor.name, tensor]));
  const differences: TensorDifference[] = [];
  for (const tensor of one.manifest.tensors) {
    const counterpart = others.get(tensor.name);
    others.delete(tensor.name);
    if (counterpart === undefined) differences.push(missing(tensor));
    else if (!isDeepStrictEqual([tensor.dtype, tensor.shape], [counterpart.dtype, counterpart.shape]))
      differences.push(missing(tensor));
    else if (tensor.digest !== counterpart.digest) {
      const { bytes } = await one.tensor(tensor);
      const { bytes: otherBytes } = await other.tensor(counterpart);
      differences.push({ ...missing(tensor), ...valueDifference(tensor.dtype, bytes, otherBytes) });
    }
  }
  return [...differences, ...[...others.values()].map(missing)];
}

function missing({ name }: ManifestTensor): TensorDifference {
  return { name, isHistory: isHistory(name), elements: null, largestAbsolute: null, largestRelative: null };
}

type Values = ArrayLike<number>;

const READERS: Partial<Record<Dtype, (bytes: Uint8Array<ArrayBuffer>) => Values>> = {
  F64: ({ buffer, byteOffset, byteLength }) => new Float64Array(buffer, byteOffset, byteLength / 8),
  F32: ({ buffer, byteOffset, byteLength }) => new Float32Array(buffer, byteOffset, byteLength / 4),
  I32: ({ buffer, byteOffset, byteLength }) => new Int32Array(buffer, byteOffset, byteLength / 4),
  U32: ({ buffer, byteOffset, byteLength }) => new Uint32Array(buffer, byteOffset, byteLength / 4),
  I16: ({ buffer, byteOffset, byteLength }) => new Int16Array(buffer, byteOffset, byteLength / 2),
  U16: ({ buffer, byteOffset, byteLength }) => new Uint16Array(buffer, byteOffset, byteLength / 2),
  I8: ({ buffer, byteOffset, byteLength }) => new Int8Array(buffer, byteOffset, byteLength),
  U8: (bytes) => bytes,
  BOOL: (bytes) => bytes,
};

/** Pure. Relative to the larger of the two values; null where no two numbers differ that could be reckoned with. */
export function valueDifference(
  dtype: Dtype,
  one: Uint8Array<ArrayBuffer>,
  other: Uint8Array<ArrayBuffer>,
): Pick<TensorDifference, 'elements' | 'largestAbsolute' | 'largestRelative'> {
  const reader = READERS[dtype];
  if (reader === undefined) return { elements: null, largestAbsolute: null, largestRelative: null };
  const a = reader(one);
  const b = reader(other);
  let elements = 0;
  let largestAbsolute: number | null = null;
  let largestRelative: number | null = null;
  for (let at = 0; at < a.length; at++) {
    const x = a[at] ?? Number.NaN;
    const y = b[at] ?? Number.NaN;
    if (Object.is(x, y)) continue;
    elements += 1;
    const absolute = Math.abs(x - y);
    if (!Number.isFinite(absolute)) continue;
    const size = Math.max(Math.abs(x), Math.abs(y));
    largestAbsolute = Math.max(largestAbsolute ?? 0, absolute);
    largestRelative = Math.max(largestRelative ?? 0, size === 0 ? 0 : absolute / size);
  }
  return { elements, largestAbsolute, largestRelative };
}

async function stateDifferences(one: OpenCheckpoint, other: OpenCheckpoint): Promise<string[]> {
  const texts = [await one.state(), await other.state()] as const;
  if (texts[0] === texts[1]) return [];
  const places: string[] = [];
  collect(decodeState(texts[0]), decodeState(texts[1]), [], places);
  return places;
}

function collect(a: unknown, b: unknown, path: readonly string[], places: string[]): void {
  if (places.length >= NAMED_PLACES || (path[0] === 'run' && SIDE_FIGURES.has(path[1] ?? ''))) return;
  if (isDeepStrictEqual(a, b)) return;
  if (!isPlain(a) || !isPlain(b)) {
    places.push(path.join('.') || '(everything)');
    return;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) collect(a[key], b[key], [...path, key], places);
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
