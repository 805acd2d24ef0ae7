/** Tensors as bytes and back: references that outlive training, their values in pieces, and tensors from saved bytes. */

import * as tf from '@tensorflow/tfjs-core';
import type { Dtype } from '../../checkpoint/types.ts';
import { NkatError } from '../../errors.ts';
import type { SavedTensor } from '../state.ts';

const DTYPES: Partial<Record<tf.DataType, Dtype>> = { float32: 'F32', int32: 'I32', bool: 'BOOL' };

/**
 * The safetensors dtype of a tensor.
 * @throws NkatError 'state-not-serializable' for complex and string tensors.
 */
export function dtypeOf(name: string, tensor: tf.Tensor): Dtype {
  const dtype = DTYPES[tensor.dtype];
  if (dtype !== undefined) return dtype;
  throw new NkatError(`${name} is a ${tensor.dtype} tensor; only float32, int32 and bool tensors can be saved`, {
    code: 'state-not-serializable',
    operation: 'describe the training state',
  });
}

/**
 * A second owner of the tensor's present values, without a copy: tensors are immutable and a variable that is assigned
 * takes other values instead of overwriting these. A reshape to the same shape shares the values on every backend;
 * `clone()` copies on wasm.
 */
export function reference(tensor: tf.Tensor): tf.Tensor {
  return tf.keep(tf.reshape(tensor, tensor.shape));
}

/** Copies a piece of a tensor's little-endian bytes, from byte `from` on, into the target. */
export type ByteReader = (target: Uint8Array, from: number) => void;

/** Where a backend hands out copies, so many bytes of a tensor are taken at a time: 8 MiB. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** Reads a tensor that is kept meanwhile in pieces, without ever copying all of it where the backend allows that. */
export function readerOf(tensor: tf.Tensor): ByteReader {
  const wasm = wasmBackendOf(tensor);
  if (wasm !== null) {
    return (target, from) => {
      // The heap's buffer is replaced when the heap grows, so it is looked up at each read.
      const start = wasm.getMemoryOffset(tensor.dataId) + from;
      target.set(wasm.wasm.HEAPU8.subarray(start, start + target.length));
    };
  }
  return backendOf(tensor) === tf.findBackend('cpu') ? wholeReader(tensor) : windowReader(tensor);
}

/** The cpu backend hands out the values themselves. */
function wholeReader(tensor: tf.Tensor): ByteReader {
  let values: Uint8Array | null = null;
  return (target, from) => {
    values ??= bytesOf(tensor.dataSync());
    target.set(values.subarray(from, from + target.length));
  };
}

/** Cut on the device, so that what is copied at a time is bounded however large the tensor is. */
export function windowReader(tensor: tf.Tensor, windowBytes = WINDOW_BYTES): ByteReader {
  const elementBytes = tf.util.bytesPerElement(tensor.dtype);
  const windowSize = Math.max(1, Math.floor(windowBytes / elementBytes));
  let window: { readonly index: number; readonly bytes: Uint8Array } | null = null;
  return (target, from) => {
    for (let done = 0; done < target.length; ) {
      const at = from + done;
      const index = Math.floor(at / (windowSize * elementBytes));
      if (window?.index !== index) {
        const first = index * windowSize;
        const size = Math.min(windowSize, tensor.size - first);
        const values = tf.tidy(() => tf.slice1d(tf.reshape(tensor, [tensor.size]), first, size).dataSync());
        window = { index, bytes: bytesOf(values) };
      }
      const part = window.bytes.subarray(at - index * windowSize * elementBytes).subarray(0, target.length - done);
      target.set(part, done);
      done += part.length;
    }
  };
}

function bytesOf(values: Float32Array | Int32Array | Uint8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A kept tensor with the saved values; the bytes stay the caller's. */
export function tensorOf(saved: SavedTensor): tf.Tensor {
  // A copy: the bytes may lie at an odd offset, and the cpu backend would go on using the caller's memory.
  const { buffer } = saved.bytes.slice();
  const shape = [...saved.shape];
  if (saved.dtype === 'F32') return tf.keep(tf.tensor(new Float32Array(buffer), shape, 'float32'));
  if (saved.dtype === 'I32') return tf.keep(tf.tensor(new Int32Array(buffer), shape, 'int32'));
  return tf.keep(tf.tensor(new Uint8Array(buffer), shape, 'bool'));
}

/** The part of tfjs's BackendWasm that is read here; its own types leave the heap out. */
interface WasmBackend {
  readonly wasm: { readonly HEAPU8: Uint8Array };
  getMemoryOffset(dataId: tf.DataId): number;
}

function backendOf(tensor: tf.Tensor): tf.KernelBackend | undefined {
  return tf.engine().state.tensorInfo.get(tensor.dataId)?.backend;
}

/** The wasm backend when it is the one that holds this tensor's values (the current backend may be another). */
function wasmBackendOf(tensor: tf.Tensor): WasmBackend | null {
  const backend = backendOf(tensor);
  return backend !== undefined && 'wasm' in backend && 'getMemoryOffset' in backend
    ? (backend as object as WasmBackend)
    : null;
}
