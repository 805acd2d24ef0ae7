/** From bytes in planes to the numbers that the network takes: normalised, channels last, augmented for training. */
import type { RandomGenerator } from 'nkat-recover/worker';
import { CHANNELS, PLANE, type RecordBatch, type Records, SIDE } from './records.ts';

/** Black margin around an image of which a crop is cut, in pixels. */
const PADDING = 4;

/** Value of each byte, by channel. */
export type Normalisation = readonly Float32Array[];

/** Mean 0 and standard deviation 1 over all pixels of a channel. Sums of whole numbers: the same on each launch. */
export function normalisationOf({ bytes, length }: Records): Normalisation {
  return Array.from({ length: CHANNELS }, (_, channel) => {
    const counts = new Float64Array(256);
    for (let index = 0; index < length; index++) {
      const start = index * (1 + CHANNELS * PLANE) + 1 + channel * PLANE;
      for (let at = start; at < start + PLANE; at++) {
        const value = bytes[at] ?? 0;
        counts[value] = (counts[value] ?? 0) + 1;
      }
    }
    const pixels = length * PLANE;
    const mean = counts.reduce((sum, count, value) => sum + count * value, 0) / pixels;
    const variance = counts.reduce((sum, count, value) => sum + count * (value - mean) ** 2, 0) / pixels;
    return Float32Array.from({ length: 256 }, (__, value) => (value - mean) / Math.sqrt(variance || 1));
  });
}

/** As they are: for evaluation. */
export function plain({ images }: RecordBatch, normalisation: Normalisation): Float32Array {
  const pixels = new Float32Array(images.length * PLANE * CHANNELS);
  for (const [index, image] of images.entries())
    cut(image, { x: 0, y: 0, mirrored: false }, normalisation, pixels, index);
  return pixels;
}

/**
 * A crop of the image in a black margin of 4, mirrored or not. Three draws an image, whatever they are: with
 * `run.random` the generator's state at each step is part of the checkpoint, and a resume draws the same.
 */
export function augmented(
  { images }: RecordBatch,
  normalisation: Normalisation,
  random: RandomGenerator,
): Float32Array {
  const pixels = new Float32Array(images.length * PLANE * CHANNELS);
  for (const [index, image] of images.entries()) {
    const x = random.integer(2 * PADDING + 1) - PADDING;
    const y = random.integer(2 * PADDING + 1) - PADDING;
    cut(image, { x, y, mirrored: random.integer(2) === 1 }, normalisation, pixels, index);
  }
  return pixels;
}

interface Cut {
  /** Of the crop's corner, in the image; what lies outside is black. */
  readonly x: number;
  readonly y: number;
  readonly mirrored: boolean;
}

function cut(
  image: Uint8Array,
  { x, y, mirrored }: Cut,
  normalisation: Normalisation,
  to: Float32Array,
  index: number,
): void {
  for (const [channel, values] of normalisation.entries()) {
    let place = index * PLANE * CHANNELS + channel;
    for (let row = y; row < y + SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        const from = x + (mirrored ? SIDE - 1 - column : column);
        const inside = row >= 0 && row < SIDE && from >= 0 && from < SIDE;
        to[place] = values[inside ? (image[channel * PLANE + row * SIDE + from] ?? 0) : 0] ?? 0;
        place += CHANNELS;
      }
    }
  }
}
