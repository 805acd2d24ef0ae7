/** Opens a checkpoint to be loaded. The digests are checked over the very bytes that are handed out. */
import { join } from 'node:path';
import { type ErrorCode, errnoOf, messageOf, NkatError } from '../errors.ts';
import { describeDamages } from './damage-text.ts';
import { CHUNK_BYTES, digestOf, StreamingDigest } from './digest.ts';
import type { StoreFile, StoreFiles } from './files.ts';
import { dataStart, inspect } from './inspect.ts';
import { FORMAT_VERSION, STATE_FILE, TENSORS_FILE } from './manifest.ts';
import { headerLength, LENGTH_BYTES } from './safetensors-header.ts';
import { readFully } from './small-file.ts';
import { headerProblem } from './tensor-contents.ts';
import type { Dtype, Manifest, ManifestTensor } from './types.ts';

export interface LoadedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Owns its ArrayBuffer whole. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface OpenCheckpoint {
  readonly manifest: Manifest;
  /** Text of `state.json`. @throws NkatError `checkpoint-damaged`, `checkpoint-unreadable` */
  state(): Promise<string>;
  /** Every tensor, one at a time, in the order of the file. @throws NkatError `checkpoint-damaged`, `checkpoint-unreadable` */
  tensors(): AsyncIterable<LoadedTensor>;
  /** One tensor of the manifest. @throws NkatError `checkpoint-damaged`, `checkpoint-unreadable` */
  tensor(tensor: ManifestTensor): Promise<LoadedTensor>;
  close(): Promise<void>;
}

const OPERATION = 'load the checkpoint';

/**
 * Opens all files at once, so that what is read later is of one checkpoint even if its directory is moved meanwhile.
 * @throws NkatError `checkpoint-damaged`, `checkpoint-unreadable`, `checkpoint-gone`, `format-newer`
 */
export function openCheckpoint(files: StoreFiles, path: string, session: string): Promise<OpenCheckpoint> {
  return reading(path, async () => {
    const inspection = await inspect(files, path, session);
    if (inspection.status === 'gone') throw failure('checkpoint-gone', 'the checkpoint is no longer there', path);
    if (inspection.status === 'newer') {
      const reason = `it is of format version ${inspection.version}; this release reads ${FORMAT_VERSION}`;
      throw failure('format-newer', reason, path);
    }
    const { manifest, damages } = inspection;
    if (manifest === null || damages.length > 0) {
      throw failure('checkpoint-damaged', describeDamages(damages), path);
    }
    const state = await files.open(join(path, STATE_FILE), 'read');
    try {
      return new OpenedFiles(path, manifest, state, await files.open(join(path, TENSORS_FILE), 'read'));
    } catch (error) {
      await state.close();
      throw error;
    }
  });
}

class OpenedFiles implements OpenCheckpoint {
  readonly manifest: Manifest;
  readonly #path: string;
  readonly #state: StoreFile;
  readonly #tensors: StoreFile;

  constructor(path: string, manifest: Manifest, state: StoreFile, tensors: StoreFile) {
    this.#path = path;
    this.manifest = manifest;
    this.#state = state;
    this.#tensors = tensors;
  }

  state(): Promise<string> {
    return reading(this.#path, async () => {
      const { bytes = 0, chunks = [] } = this.manifest.files[STATE_FILE] ?? {};
      const content = Buffer.allocUnsafe(bytes);
      for (const [index, digest] of chunks.entries()) {
        const part = content.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
        await readFully(this.#state, part, 0, part.length, index * CHUNK_BYTES);
        if (digestOf(part) !== digest) this.#damaged(`${STATE_FILE}: chunk ${index} does not match its digest`);
      }
      return content.toString('utf8');
    });
  }

  async *tensors(): AsyncGenerator<LoadedTensor, void, undefined> {
    await reading(this.#path, () => this.#checkHeader());
    for (const tensor of this.manifest.tensors) yield await this.tensor(tensor);
  }

  async tensor(tensor: ManifestTensor): Promise<LoadedTensor> {
    const bytes = await reading(this.#path, () => this.#read(tensor, dataStart(this.manifest)));
    return { name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, bytes };
  }

  async close(): Promise<void> {
    await Promise.all([this.#state.close(), this.#tensors.close()]);
  }

  /** Read piece by piece: one read of more than 2 GiB is refused by the platform. */
  async #read(tensor: ManifestTensor, start: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(tensor.bytes);
    const digest = new StreamingDigest();
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const part = bytes.subarray(at, at + CHUNK_BYTES);
      await readFully(this.#tensors, part, 0, part.length, start + tensor.offset + at);
      digest.update(part);
    }
    if (digest.digest() !== tensor.digest) {
      this.#damaged(`${TENSORS_FILE}: tensor "${tensor.name}" does not match its digest`);
    }
    return bytes;
  }

  async #checkHeader(): Promise<void> {
    const start = dataStart(this.manifest);
    const first = new Uint8Array(LENGTH_BYTES);
    await readFully(this.#tensors, first, 0, LENGTH_BYTES, 0);
    const claimed = headerLength(first, this.manifest.files[TENSORS_FILE]?.bytes ?? 0);
    if (typeof claimed === 'string') this.#damaged(`${TENSORS_FILE}: ${claimed}`);
    else if (claimed !== start - LENGTH_BYTES) this.#damaged(`${TENSORS_FILE}: the header has another length`);
    else await this.#compareHeader(claimed);
  }

  async #compareHeader(length: number): Promise<void> {
    const json = Buffer.allocUnsafe(length);
    await readFully(this.#tensors, json, 0, length, LENGTH_BYTES);
    const problem = headerProblem(json, this.manifest);
    if (problem !== null) this.#damaged(`${TENSORS_FILE}: ${problem}`);
  }

  #damaged(reason: string): never {
    throw failure('checkpoint-damaged', reason, this.#path);
  }
}

/** What the system refuses while loading says nothing about the data. */
async function reading<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NkatError) throw error;
    const errno = errnoOf(error);
    if (errno === null && !(error instanceof RangeError)) throw error;
    const reason = messageOf(error);
    const code = errno === 'ELOOP' ? 'checkpoint-damaged' : 'checkpoint-unreadable';
    throw new NkatError(`The checkpoint cannot be read: ${reason}.`, {
      code,
      operation: OPERATION,
      path,
      cause: error,
    });
  }
}

function failure(code: ErrorCode, reason: string, path: string): NkatError {
  return new NkatError(`The checkpoint cannot be loaded: ${reason}.`, { code, operation: OPERATION, path });
}
