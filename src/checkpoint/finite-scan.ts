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
    if (elementBytes === 2) {
      const words = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
      for (let i = 0; i < words.length; i++) if (((words[i] ?? 0) & exponent) === exponent) this.#found = true;
      return;
    }
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const step = elementBytes / 4;
    for (let i = step - 1; i < words.length; i += step) {
      if (((words[i] ?? 0) & exponent) === exponent) this.#found = true;
    }
  }
}
