/**
 * Writes one new file of any size in constant memory: bytes are copied into page-aligned buffers of one chunk,
 * hashed, and written past the page cache while the next buffer fills.
 */

import { errnoOf } from '../errors.ts';
import { BLOCK_BYTES } from './bounce-buffers.ts';
import { CHUNK_BYTES, digestOf } from './digest.ts';
import type { StoreFile, StoreFiles } from './files.ts';
import type { ManifestFile } from './types.ts';

interface Slot {
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** The write that this buffer is in; its outcome is data, so that nothing rejects while no one waits. */
  writing: Promise<unknown> | null;
}

export class ChunkedWriter {
  readonly #files: StoreFiles;
  readonly #path: string;
  readonly #slots: readonly Slot[];
  readonly #chunks: string[] = [];
  readonly #file: StoreFile;
  /** Set once the file system refused a direct write: the file opened again, buffered. */
  #fallback: Promise<StoreFile> | null = null;
  #current = 0;
  /** Bytes in the current buffer. */
  #filled = 0;
  /** Bytes taken in all. */
  #bytes = 0;
  #closed = false;

  private constructor(files: StoreFiles, path: string, file: StoreFile, buffers: readonly Uint8Array<ArrayBuffer>[]) {
    this.#files = files;
    this.#path = path;
    this.#file = file;
    this.#slots = buffers.map((buffer) => ({ buffer, writing: null }));
  }

  /** Creates the file. The buffers (two or more) are the writer's until `finish` or `abandon`. */
  static async create(
    files: StoreFiles,
    path: string,
    buffers: readonly Uint8Array<ArrayBuffer>[],
    direct: boolean,
  ): Promise<ChunkedWriter> {
    return new ChunkedWriter(files, path, await files.open(path, 'create', direct), buffers);
  }

  /** Takes the bytes: when this resolves they have been copied. @throws the system's error of any earlier write */
  async append(bytes: Uint8Array): Promise<void> {
    for (let taken = 0; taken < bytes.length; ) {
      const slot = await this.#freeSlot();
      const part = bytes.subarray(taken, taken + CHUNK_BYTES - this.#filled);
      slot.buffer.set(part, this.#filled);
      this.#filled += part.length;
      this.#bytes += part.length;
      taken += part.length;
      if (this.#filled === CHUNK_BYTES) this.#startWrite(slot, CHUNK_BYTES);
    }
  }

  /** Writes the rest, cuts the padding, syncs and closes. */
  async finish(): Promise<ManifestFile> {
    if (this.#filled > 0) {
      const slot = await this.#freeSlot();
      const { buffer } = slot;
      // Direct writes are of whole blocks: what goes too far is zeros, and is cut off again.
      const padded = Math.ceil(this.#filled / BLOCK_BYTES) * BLOCK_BYTES;
      buffer.fill(0, this.#filled, padded);
      this.#startWrite(slot, padded);
    }
    for (const slot of this.#slots) await settled(slot);
    const file = await this.#target();
    await file.truncate(this.#bytes);
    await file.sync();
    await this.#close();
    return { bytes: this.#bytes, chunks: this.#chunks };
  }

  /** Waits for writes in flight (their memory is ours) and closes; what they came to does not matter any more. */
  async abandon(): Promise<void> {
    await Promise.all(this.#slots.map(({ writing }) => writing));
    await this.#close();
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const fallback = await this.#fallback;
    await this.#file.close();
    await fallback?.close();
  }

  async #freeSlot(): Promise<Slot> {
    const slot = this.#slots[this.#current];
    if (slot === undefined) throw new RangeError('a writer needs at least one buffer');
    await settled(slot);
    return slot;
  }

  #startWrite(slot: Slot, length: number): void {
    this.#chunks.push(digestOf(slot.buffer.subarray(0, this.#filled)));
    const position = (this.#chunks.length - 1) * CHUNK_BYTES;
    slot.writing = this.#write(slot.buffer, length, position).then(
      () => null,
      (error: unknown) => error ?? new Error('the write failed'),
    );
    this.#current = (this.#current + 1) % this.#slots.length;
    this.#filled = 0;
  }

  async #write(buffer: Uint8Array, length: number, position: number): Promise<void> {
    for (let done = 0; done < length; ) {
      const file = await this.#target();
      let written: number;
      try {
        written = await file.write(buffer, done, length - done, position + done);
      } catch (error) {
        if (!file.direct || errnoOf(error) !== 'EINVAL') throw error;
        this.#goBuffered();
        continue;
      }
      if (written === 0) throw new Error(`nothing more could be written to ${this.#path}`);
      // A short direct write may end inside a block: the next one is then refused (EINVAL) and goes on buffered.
      done += written;
    }
  }

  #target(): Promise<StoreFile> | StoreFile {
    return this.#fallback ?? this.#file;
  }

  /** Some file systems accept O_DIRECT at open and refuse it at the first write. Two writes may find that out at once. */
  #goBuffered(): void {
    this.#fallback ??= this.#files.open(this.#path, 'reopen');
  }
}

async function settled(slot: Slot): Promise<void> {
  const error = await slot.writing;
  slot.writing = null;
  if (error) throw error;
}
