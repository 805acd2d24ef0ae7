/** The order of the samples of one pass over the data: a pure function of (length, seed, epoch, pass). */
import { seededRandom } from './random.ts';

/**
 * Fisher-Yates permutation of 0..length-1.
 * @param seed null keeps the natural order.
 * @param pass number of the pass within the epoch, from 0: two passes over the same data differ.
 */
export function sampleOrder(length: number, seed: number | null, epoch: number, pass: number): Int32Array {
  const order = new Int32Array(length);
  for (let index = 0; index < length; index++) order[index] = index;
  if (seed === null) return order;
  const mixed = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b) ^ Math.imul(epoch + 1, 0xc2b2ae35);
  const { generator } = seededRandom(mixed, pass + 1);
  for (let last = length - 1; last > 0; last--) {
    const other = generator.integer(last + 1);
    const value = order[last] as number;
    order[last] = order[other] as number;
    order[other] = value;
  }
  return order;
}
