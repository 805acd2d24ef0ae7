/** XXH3-128: finds damage, does not guard against forgery. Canonical big-endian text, 32 hex digits. */
import xxhash from 'xxhash-addon';

/** Size of the pieces of a file that have a digest of their own: 8 MiB. */
export const CHUNK_BYTES = 8 * 1024 * 1024;

const NO_SEED = Buffer.alloc(8);

/** Digest of bytes that are in memory. */
export function digestOf(bytes: Uint8Array): string {
  return new StreamingDigest().update(bytes).digest();
}

/** Digest of bytes that come in pieces. */
export class StreamingDigest {
  readonly #hash = new xxhash.XXHash128(NO_SEED);

  update(bytes: Uint8Array): this {
    if (bytes.byteLength > 0) this.#hash.update(asBuffer(bytes));
    return this;
  }

  /** Digest of all that came since the start or the last reset. */
  digest(): string {
    return this.#hash.digest().toString('hex');
  }

  reset(): void {
    this.#hash.reset();
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
