/**
 * The memory through which saves go from the training loop to the disk: chunks that both threads see. It is kept, since
 * copying into memory that was used before costs a tenth of copying into fresh one, and it is touched here first, on
 * the thread that has time.
 */
import { BLOCK_BYTES, chunksOf, sharedChunkMemory } from '../../checkpoint/bounce-buffers.ts';
import { CHUNK_BYTES } from '../../checkpoint/digest.ts';

/** 64 MiB: what the loop copies in the 40 ms that a fast disk takes for it. Small states touch no more than they are. */
const MOST_CHUNKS = 8;

export class ChunkPool {
  #memory: SharedArrayBuffer | null = null;
  #chunks: readonly Uint8Array<SharedArrayBuffer>[] = [];
  /** Bytes from the start that were touched. */
  #warm = 0;

  /** Memory for a file of so many bytes; the same as before where that was as large. */
  memoryFor(bytes: number): SharedArrayBuffer {
    const count = Math.min(MOST_CHUNKS, Math.max(1, Math.ceil(bytes / CHUNK_BYTES)));
    if (this.#memory === null || this.#chunks.length < count) {
      this.#memory = sharedChunkMemory(count);
      this.#chunks = chunksOf(this.#memory);
      this.#warm = 0;
    }
    return this.#memory;
  }

  /** Chunks of which a file of so many bytes fills any part. */
  slotsFor(bytes: number): number {
    return Math.min(this.#chunks.length, Math.max(1, Math.ceil(bytes / CHUNK_BYTES)));
  }

  chunk(slot: number): Uint8Array<SharedArrayBuffer> {
    const chunk = this.#chunks[slot];
    if (chunk === undefined) throw new RangeError(`there is no chunk ${slot}`);
    return chunk;
  }

  /** Makes the system give the pages of this chunk that a file of so many bytes fills. */
  warm(slot: number, bytes: number): void {
    const chunk = this.chunk(slot);
    const from = slot * CHUNK_BYTES;
    const to = Math.min(from + CHUNK_BYTES, bytes);
    for (let at = Math.max(from, this.#warm); at < to; at += BLOCK_BYTES) chunk[at - from] = 0;
    this.#warm = Math.max(this.#warm, to);
  }
}
