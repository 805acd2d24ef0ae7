/** Digests of tensors whose bytes come as one stream, in any splitting. */
import { StreamingDigest } from './digest.ts';
import type { PlacedTensor } from './safetensors-header.ts';
import type { ManifestTensor, TensorSpec } from './types.ts';

export class TensorDigests {
  readonly #tensors: readonly PlacedTensor[];
  readonly #digests: string[] = [];
  readonly #running = new StreamingDigest();
  /** Bytes of the present tensor that came. */
  #taken = 0;
  #missing: number;

  constructor(tensors: readonly PlacedTensor[]) {
    this.#tensors = tensors;
    this.#missing = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#closeFull();
  }

  /** Bytes that are still to come. */
  get missingBytes(): number {
    return this.#missing;
  }

  /** The next bytes; never more than are missing. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const tensor = this.#tensors[this.#digests.length];
      if (tensor === undefined) throw new RangeError('more bytes than the tensors have');
      const part = bytes.subarray(at, at + tensor.bytes - this.#taken);
      this.#running.update(part);
      this.#taken += part.length;
      this.#missing -= part.length;
      at += part.length;
      this.#closeFull();
    }
  }

  /** Every tensor with its digest, when no byte is missing. */
  finished(specs: readonly TensorSpec[]): ManifestTensor[] {
    return this.#tensors.map((tensor, index) => {
      const digest = this.#digests[index];
      if (digest === undefined) throw new RangeError(`the bytes of tensor "${tensor.name}" are missing`);
      return { ...tensor, digest, ...(specs[index]?.mayBeNonFinite ? { mayBeNonFinite: true } : {}) };
    });
  }

  /** Ends the present tensor when it is full, and the empty ones after it. */
  #closeFull(): void {
    while (this.#tensors[this.#digests.length]?.bytes === this.#taken) {
      this.#digests.push(this.#running.digest());
      this.#running.reset();
      this.#taken = 0;
    }
  }
}
