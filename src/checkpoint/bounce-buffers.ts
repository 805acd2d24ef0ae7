/** Page-aligned memory that direct reads and writes go through. */
import { CHUNK_BYTES } from './digest.ts';

/** The part of the platform's WebAssembly that is used here; the compiler's library for Node lacks it. */
declare const WebAssembly: {
  readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

/** Direct transfers need memory, position and length in multiples of this. Source: the largest common block size. */
export const BLOCK_BYTES = 4096;
const WASM_PAGE_BYTES = 65_536;

/**
 * Buffers of one chunk (8 MiB) each. WebAssembly memory begins at a page boundary; an ArrayBuffer or a
 * SharedArrayBuffer need not.
 */
export function bounceBuffers(count: number): readonly Uint8Array<ArrayBuffer>[] {
  const pages = (count * CHUNK_BYTES) / WASM_PAGE_BYTES;
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return Array.from({ length: count }, (_, index) => new Uint8Array(buffer, index * CHUNK_BYTES, CHUNK_BYTES));
}
