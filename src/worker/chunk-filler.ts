/**
 * Copies the tensors of a save, in slices, into chunks of the memory that the loop and the SDK's thread share. A chunk
 * is laid out as in the file, so that the thread writes it from where it lies: the bytes are copied once.
 */
import { chunksOf } from '../checkpoint/bounce-buffers.ts';
import { CHUNK_BYTES } from '../checkpoint/digest.ts';
import type { SnapshotTensor } from './state.ts';

/** Small enough that time is looked at often: 1 MiB takes about 0.1 ms. */
const SLICE_BYTES = 1024 * 1024;

export interface SizedTensor {
  readonly tensor: SnapshotTensor;
  readonly bytes: number;
}

export interface FilledChunk {
  readonly slot: number;
  readonly bytes: number;
}

export class ChunkFiller {
  readonly #tensors: readonly SizedTensor[];
  readonly #chunks: readonly Uint8Array<SharedArrayBuffer>[];
  readonly #headerBytes: number;
  readonly #totalBytes: number;
  readonly #free: number[] = [];
  #slot: number | null = null;
  /** Of the file. */
  #position = 0;
  #tensor = 0;
  /** Bytes of the present tensor that were copied. */
  #taken = 0;

  /** @param headerBytes room for the file's header, which the thread writes */
  constructor(tensors: readonly SizedTensor[], memory: SharedArrayBuffer, headerBytes: number) {
    this.#tensors = tensors;
    this.#chunks = chunksOf(memory);
    this.#headerBytes = headerBytes;
    this.#totalBytes = tensors.reduce((sum, { bytes }) => sum + bytes, headerBytes);
  }

  /** Everything was copied and handed out. */
  get done(): boolean {
    return this.#position === this.#totalBytes && this.#slot === null;
  }

  /** There is memory to copy into. */
  get hasRoom(): boolean {
    return this.#slot !== null || this.#free.length > 0;
  }

  /** This slot is ours to fill. */
  freed(slot: number): void {
    this.#free.push(slot);
  }

  /** Copies one slice; needs room. The chunk, when that filled it or was the last. */
  copySlice(): FilledChunk | null {
    this.#slot ??= this.#free.shift() ?? null;
    const slot = this.#slot;
    const chunk = slot === null ? undefined : this.#chunks[slot];
    if (slot === null || chunk === undefined) throw new RangeError('there is no room for a slice');
    const start = this.#position - (this.#position % CHUNK_BYTES);
    const end = Math.min(this.#totalBytes, start + CHUNK_BYTES);
    if (this.#position < this.#headerBytes) this.#position = Math.min(this.#headerBytes, end);
    this.#copy(chunk, start, Math.min(end, this.#position + SLICE_BYTES));
    if (this.#position < end) return null;
    this.#slot = null;
    return { slot, bytes: end - start };
  }

  #copy(chunk: Uint8Array, start: number, end: number): void {
    while (this.#position < end) {
      const next = this.#tensors[this.#tensor];
      if (next === undefined) return;
      const bytes = Math.min(next.bytes - this.#taken, end - this.#position);
      const at = this.#position - start;
      if (bytes > 0) next.tensor.read(chunk.subarray(at, at + bytes), this.#taken);
      this.#taken += bytes;
      this.#position += bytes;
      if (this.#taken === next.bytes) {
        this.#tensor++;
        this.#taken = 0;
      }
    }
  }
}

/**
 * The order in which they are copied fastest: words are copied eight bytes at a time only where both sides are equally
 * aligned, so whatever would shift the rest comes last, the largest of these first.
 */
export function alignedOrder(tensors: readonly SizedTensor[]): SizedTensor[] {
  const odd = ({ bytes }: SizedTensor): boolean => bytes % 8 !== 0;
  const last = tensors.filter(odd).sort((a, b) => b.bytes - a.bytes);
  return [...tensors.filter((tensor) => !odd(tensor)), ...last];
}
