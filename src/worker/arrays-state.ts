/** Plain typed arrays as a training state: for trainers without a framework. */
import type { Dtype } from '../checkpoint/types.ts';
import { NkatError } from '../errors.ts';
import type { SavedState, Snapshot, StateValue, TrainingState } from './state.ts';

export type TensorArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export interface ArraysStateOptions {
  /** Further state beside the arrays. */
  readonly json?: {
    /** Called at a step boundary; the value is encoded at once. */
    save(): StateValue;
    restore(value: StateValue): void;
  };
  /** The learning rate of the step just made, for the history. */
  readonly learningRate?: () => number | undefined;
  /** Called by `run.step()` after the counter moved. */
  readonly afterStep?: (step: number) => void;
}

/**
 * A `TrainingState` over named typed arrays, each saved as a tensor of shape `[length]`. The arrays are written in
 * place when a checkpoint is restored and copied when a snapshot is taken, so training may go on writing them. That copy
 * is a stall of its own (0.1 ms a MiB): reading arrays over several steps while training writes them would save a
 * mixture of steps. The copies' memory is kept for the next save, because fresh memory takes ten times as long.
 */
export function arraysState(
  arrays: Readonly<Record<string, TensorArray>>,
  options: ArraysStateOptions = {},
): TrainingState {
  const named = Object.entries(arrays).map(([name, array]) => ({ name, array, dtype: dtypeOf(array) }));
  const { json, learningRate, afterStep } = options;
  const copies = new CopyMemory();
  return {
    backend: 'arrays',
    versions: {},
    snapshot(): Snapshot {
      const held = named.map(({ array }) => copies.copyOf(bytesOf(array)));
      const tensors = named.map(({ name, array, dtype }, index) => ({
        name,
        dtype,
        shape: [array.length],
        read: (target: Uint8Array, from: number) =>
          target.set(held[index]?.subarray(from, from + target.length) ?? new Uint8Array(0)),
      }));
      return { tensors, json: json?.save() ?? null, release: () => copies.giveBack(held) };
    },
    restore(saved: SavedState): void {
      const problems: string[] = [];
      for (const { name, array, dtype } of named) {
        const tensor = saved.tensors.get(name);
        if (tensor === undefined) problems.push(`${name} is missing`);
        else if (tensor.dtype !== dtype || tensor.shape.length !== 1 || tensor.shape[0] !== array.length) {
          problems.push(`${name} is ${tensor.dtype}[${tensor.shape.join(', ')}] instead of ${dtype}[${array.length}]`);
        }
      }
      for (const name of saved.tensors.keys())
        if (!Object.hasOwn(arrays, name)) problems.push(`${name} is unknown here`);
      if (problems.length > 0) {
        throw new NkatError(`the checkpoint does not fit these arrays: ${problems.join('; ')}`, {
          code: 'state-mismatch',
          operation: 'restore the arrays',
          hint: 'Restore with the trainer that made the checkpoint, or start a new session with --new.',
        });
      }
      for (const { name, array } of named) bytesOf(array).set(saved.tensors.get(name)?.bytes ?? new Uint8Array(0));
      json?.restore(saved.json);
    },
    ...(learningRate === undefined ? {} : { learningRate }),
    ...(afterStep === undefined ? {} : { afterStep }),
  };
}

/** Memory of copies that were given back, for the next ones of the same size. */
class CopyMemory {
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const index = this.#spare.findIndex(({ length }) => length === bytes.length);
    const [spare] = index < 0 ? [] : this.#spare.splice(index, 1);
    if (spare === undefined) return new Uint8Array(bytes);
    spare.set(bytes);
    return spare;
  }

  giveBack(copies: readonly Uint8Array<ArrayBuffer>[]): void {
    this.#spare.push(...copies);
  }
}

function bytesOf(array: TensorArray): Uint8Array<ArrayBuffer> {
  return new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
}

function dtypeOf(array: TensorArray): Dtype {
  if (array instanceof Float32Array) return 'F32';
  if (array instanceof Float64Array) return 'F64';
  if (array instanceof Int8Array) return 'I8';
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return 'U8';
  if (array instanceof Int16Array) return 'I16';
  if (array instanceof Uint16Array) return 'U16';
  if (array instanceof Int32Array) return 'I32';
  if (array instanceof Uint32Array) return 'U32';
  if (array instanceof BigInt64Array) return 'I64';
  return 'U64';
}
