/** Tensors as bytes and back: references that outlive training, owned copies of their values, and tensors from saved bytes. */

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

/** The tensor's values as little-endian bytes in an ArrayBuffer of their own, aliasing nothing. */
export function ownedBytes(tensor: tf.Tensor): Uint8Array<ArrayBuffer> {
  const wasm = wasmBackendOf(tensor);
  if (wasm !== null) {
    const offset = wasm.getMemoryOffset(tensor.dataId);
    const length = tensor.size * tf.util.bytesPerElement(tensor.dtype);
    // The heap's buffer is replaced when the heap grows, so it is looked up at each read.
    const bytes = new Uint8Array(length);
    bytes.set(wasm.wasm.HEAPU8.subarray(offset, offset + length));
    return bytes;
  }
  const values = tensor.dataSync();
  const bytes = new Uint8Array(values.byteLength);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return bytes;
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

/** The wasm backend when it is the one that holds this tensor's values (the current backend may be another). */
function wasmBackendOf(tensor: tf.Tensor): WasmBackend | null {
  const backend = tf.engine().state.tensorInfo.get(tensor.dataId)?.backend;
  return backend !== undefined && 'wasm' in backend && 'getMemoryOffset' in backend
    ? (backend as object as WasmBackend)
    : null;
}
