/** Reads a file chunk by chunk in constant memory, past the page cache where the file system allows it. */
import { errnoOf } from '../errors.ts';
import { BLOCK_BYTES } from './bounce-buffers.ts';
import { CHUNK_BYTES } from './digest.ts';
import type { StoreFile, StoreFiles } from './files.ts';
import { readFully } from './small-file.ts';

export interface ReadChunk {
  readonly index: number;
  /** Shorter than expected where the file ended early. Valid until the next chunk is asked for. */
  readonly bytes: Uint8Array;
}

type Reading = { readonly bytes: Uint8Array } | { readonly error: unknown };

/** Buffers for {@link readChunks}: two reads keep a disk busy while the third buffer is looked at. */
export const READ_BUFFERS = 3;

/**
 * The chunks of the first `bytes` bytes of a file; while one is looked at, the next are read into the other buffers.
 * @param buffers two or more of one chunk each
 * @throws the system's error
 */
export async function* readChunks(
  files: StoreFiles,
  path: string,
  bytes: number,
  buffers: readonly Uint8Array<ArrayBuffer>[],
): AsyncGenerator<ReadChunk, void, undefined> {
  const source = new DirectSource(files, path, await files.open(path, 'read', true));
  const count = Math.ceil(bytes / CHUNK_BYTES);
  const begin = (index: number): Promise<Reading> => {
    const buffer = buffers[index % buffers.length];
    if (buffer === undefined) throw new RangeError('a reader needs at least one buffer');
    return source.read(buffer, Math.min(CHUNK_BYTES, bytes - index * CHUNK_BYTES), index * CHUNK_BYTES);
  };
  const ahead: Promise<Reading>[] = [];
  let begun = 0;
  try {
    for (let index = 0; index < count; index++) {
      // The buffer of the chunk that was given out last is free again.
      while (begun < count && begun < index + buffers.length) ahead.push(begin(begun++));
      const reading = await ahead.shift();
      if (reading === undefined) throw new RangeError('a reader needs at least one buffer');
      if ('error' in reading) throw reading.error;
      yield { index, bytes: reading.bytes };
    }
  } finally {
    // The buffers may be used again only when no read is in flight.
    await Promise.all(ahead);
    await source.close();
  }
}

class DirectSource {
  readonly #files: StoreFiles;
  readonly #path: string;
  readonly #file: StoreFile;
  /** Set once the file system refused a direct read: the file opened again, buffered. */
  #fallback: Promise<StoreFile> | null = null;

  constructor(files: StoreFiles, path: string, file: StoreFile) {
    this.#files = files;
    this.#path = path;
    this.#file = file;
  }

  /** The outcome is data, so that a read ahead cannot reject while no one waits for it. */
  async read(buffer: Uint8Array, length: number, position: number): Promise<Reading> {
    try {
      const read = await this.#read(buffer, length, position);
      return { bytes: buffer.subarray(0, Math.min(read, length)) };
    } catch (error) {
      return { error };
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
    // An opening that failed was the error of the read that asked for it.
    const opened = await this.#fallback?.then(
      (file) => file,
      () => null,
    );
    await opened?.close();
  }

  async #read(buffer: Uint8Array, length: number, position: number): Promise<number> {
    if (this.#fallback === null) {
      const blocks = Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
      try {
        return await readFully(this.#file, buffer, 0, this.#file.direct ? blocks : length, position);
      } catch (error) {
        if (!this.#file.direct || errnoOf(error) !== 'EINVAL') throw error;
      }
    }
    // Some file systems accept O_DIRECT at open and refuse it at the first read. Several reads may find that out at once.
    this.#fallback ??= this.#files.open(this.#path, 'read');
    return readFully(await this.#fallback, buffer, 0, length, position);
  }
}
