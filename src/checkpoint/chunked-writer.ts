/**
 * Writes one new file of any size in constant memory, past the page cache, several chunks at a time. A chunk is hashed
 * while it is written, and written from where it lies (`place`) or from page-aligned buffers that it is copied into
 * (`append`).
 */

import { errnoOf } from '../errors.ts';
import { BLOCK_BYTES } from './bounce-buffers.ts';
import { CHUNK_BYTES, digestOf } from './digest.ts';
import type { StoreFile, StoreFiles } from './files.ts';
import type { ManifestFile } from './types.ts';

/**
 * How many chunks are written at once: a disk is busy with two, the third is ready when one of them ends. Node's pool
 * has four threads for everything in the process.
 */
const WRITES_AT_ONCE = 3;

export class ChunkedWriter {
  readonly #files: StoreFiles;
  readonly #path: string;
  readonly #buffers: readonly Uint8Array<ArrayBuffer>[];
  /** The write that each buffer of `append` is in. */
  readonly #buffersWriting: Promise<void>[] = [];
  /** Writes in flight, oldest first. They never reject: see `#problem`. */
  readonly #writing = new Set<Promise<void>>();
  readonly #chunks: string[] = [];
  readonly #file: StoreFile;
  /** The first write that failed; every later call throws it. */
  #problem: { readonly error: unknown } | null = null;
  /** Set once the file system refused a direct write: the file opened again, buffered. */
  #fallback: Promise<StoreFile> | null = null;
  #current = 0;
  /** Bytes in the current buffer of `append`. */
  #filled = 0;
  /** Bytes taken in all. */
  #bytes = 0;
  #closed = false;

  private constructor(files: StoreFiles, path: string, file: StoreFile, buffers: readonly Uint8Array<ArrayBuffer>[]) {
    this.#files = files;
    this.#path = path;
    this.#file = file;
    this.#buffers = buffers;
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
      const buffer = await this.#freeBuffer();
      const part = bytes.subarray(taken, taken + CHUNK_BYTES - this.#filled);
      buffer.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === CHUNK_BYTES) this.#writeBuffer(buffer);
    }
  }

  /**
   * Takes the next chunk where it lies, in page-aligned memory of a whole chunk; `length` is less than that in the last
   * one only. Resolves when it is being written. The memory is the writer's until `free` is called, which it is
   * whatever comes of the write. Not to be mixed with `append`.
   * @throws the system's error of any earlier write
   */
  async place(chunk: Uint8Array, length: number, free: () => void): Promise<void> {
    while (this.#writing.size >= WRITES_AT_ONCE) {
      const [oldest] = this.#writing;
      await oldest;
    }
    this.#refuse();
    if (this.#filled > 0 || this.#bytes % CHUNK_BYTES !== 0) throw new RangeError('a chunk came after a part of one');
    void this.#begin(chunk, length).then(free);
  }

  /** Writes the rest, cuts the padding, syncs and closes. */
  async finish(): Promise<ManifestFile> {
    if (this.#filled > 0) this.#writeBuffer(await this.#freeBuffer());
    await Promise.all(this.#writing);
    this.#refuse();
    const file = await this.#target();
    await file.truncate(this.#bytes);
    await file.sync();
    await this.#close();
    return { bytes: this.#bytes, chunks: this.#chunks };
  }

  /** Waits for writes in flight (their memory is ours) and closes; what they came to does not matter any more. */
  async abandon(): Promise<void> {
    await Promise.all(this.#writing);
    await this.#close();
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const fallback = await this.#fallback;
    await this.#file.close();
    await fallback?.close();
  }

  #refuse(): void {
    if (this.#problem !== null) throw this.#problem.error;
  }

  async #freeBuffer(): Promise<Uint8Array<ArrayBuffer>> {
    const buffer = this.#buffers[this.#current];
    if (buffer === undefined) throw new RangeError('a writer needs at least one buffer');
    await this.#buffersWriting[this.#current];
    this.#refuse();
    return buffer;
  }

  #writeBuffer(buffer: Uint8Array<ArrayBuffer>): void {
    this.#buffersWriting[this.#current] = this.#begin(buffer, this.#filled);
    this.#current = (this.#current + 1) % this.#buffers.length;
    this.#filled = 0;
  }

  /** Begins to write a chunk, then hashes it. Direct writes are of whole blocks: what goes too far is cut off again. */
  #begin(chunk: Uint8Array, length: number): Promise<void> {
    const padded = Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
    chunk.fill(0, length, padded);
    const position = this.#bytes;
    this.#bytes += length;
    const writing = this.#write(chunk, padded, position).catch((error: unknown) => {
      this.#problem ??= { error };
    });
    this.#writing.add(writing);
    void writing.then(() => this.#writing.delete(writing));
    this.#chunks.push(digestOf(chunk.subarray(0, length)));
    return writing;
  }

  async #write(buffer: Uint8Array, length: number, position: number): Promise<void> {
    for (let done = 0; done < length; ) {
      // Without a turn in between, so that the first write has begun when this returns to its caller.
      const file = this.#fallback === null ? this.#file : await this.#fallback;
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
