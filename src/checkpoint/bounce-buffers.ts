/** Page-aligned memory that direct reads and writes go through. */
import { CHUNK_BYTES } from './digest.ts';

interface MemorySize {
  readonly initial: number;
  readonly maximum: number;
}

/** The part of the platform's WebAssembly that is used here; the compiler's library for Node lacks it. */
declare const WebAssembly: {
  readonly Memory: {
    new (size: MemorySize & { readonly shared: true }): { readonly buffer: SharedArrayBuffer };
    new (size: MemorySize): { readonly buffer: ArrayBuffer };
  };
};

/** Direct transfers need memory, position and length in multiples of this. Source: the largest common block size. */
export const BLOCK_BYTES = 4096;
const WASM_PAGE_BYTES = 65_536;

/**
 * Buffers of one chunk (8 MiB) each. WebAssembly memory begins at a page boundary; an ArrayBuffer or a
 * SharedArrayBuffer need not. What is never touched takes no memory.
 */
export function bounceBuffers(count: number): readonly Uint8Array<ArrayBuffer>[] {
  return chunksOf(new WebAssembly.Memory(sizeOf(count)).buffer);
}

/** The same as memory that several threads see; cut it up with {@link chunksOf}. */
export function sharedChunkMemory(count: number): SharedArrayBuffer {
  return new WebAssembly.Memory({ ...sizeOf(count), shared: true }).buffer;
}

/** The chunks (8 MiB each) of such memory. */
export function chunksOf<B extends ArrayBufferLike>(memory: B): readonly Uint8Array<B>[] {
  const count = memory.byteLength / CHUNK_BYTES;
  return Array.from({ length: count }, (_, index) => new Uint8Array(memory, index * CHUNK_BYTES, CHUNK_BYTES));
}

function sizeOf(count: number): MemorySize {
  const pages = (count * CHUNK_BYTES) / WASM_PAGE_BYTES;
  return { initial: pages, maximum: pages };
}
