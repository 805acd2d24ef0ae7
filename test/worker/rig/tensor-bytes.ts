/** A tensor of a snapshot as a save would hold it. */
import { bytesOf } from '../../../src/checkpoint/safetensors-header.ts';
import type { SavedTensor, SnapshotTensor } from '../../../src/worker/state.ts';

/** All bytes, read in pieces of the given size. */
export function bytesOfTensor(tensor: SnapshotTensor, pieceBytes = Number.POSITIVE_INFINITY): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(bytesOf(tensor.dtype, tensor.shape) ?? Number.NaN);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    tensor.read(bytes.subarray(at, Math.min(bytes.length, at + pieceBytes)), at);
  }
  return bytes;
}

export function savedTensors(tensors: readonly SnapshotTensor[]): Map<string, SavedTensor> {
  return new Map(
    tensors.map((tensor) => {
      const { name, dtype, shape } = tensor;
      return [name, { dtype, shape, bytes: bytesOfTensor(tensor) }];
    }),
  );
}
