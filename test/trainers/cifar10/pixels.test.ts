import { expect, test } from 'vitest';
import { type RandomGenerator, seededRandom } from '../../../src/worker/random.ts';
import { mixed } from '../../../trainers/cifar10/mixup.ts';
import { augmented, normalisationOf, plain } from '../../../trainers/cifar10/pixels.ts';
import { RECORD_BYTES, Records } from '../../../trainers/cifar10/records.ts';
import { standIn } from '../../../trainers/cifar10/stand-in.ts';

/** Values as they are. */
const IDENTITY = Array.from({ length: 3 }, () => Float32Array.from({ length: 256 }, (_, value) => value));

/** Red tells the column, green the row, blue is 200 everywhere. */
function grid(): Records {
  const bytes = new Uint8Array(RECORD_BYTES);
  for (let at = 0; at < 1024; at++) {
    bytes[1 + at] = 1 + (at % 32);
    bytes[1 + 1024 + at] = 1 + Math.floor(at / 32);
    bytes[1 + 2048 + at] = 200;
  }
  return new Records(bytes);
}

const first = (records: Records, times = 1) => records.take(new Int32Array(times));

test('planes become channels', () => {
  const pixels = plain(first(grid()), IDENTITY);
  expect([...pixels.slice(0, 6)]).toEqual([1, 1, 200, 2, 1, 200]);
  expect([...pixels.slice(-3)]).toEqual([32, 32, 200]);
});

test('normalised pixels have mean 0 and deviation 1 in each channel; a channel of one value is 0', () => {
  const records = grid();
  const pixels = plain(first(records), normalisationOf(records));
  const channel = (of: number) => Array.from(pixels).filter((_, at) => at % 3 === of);
  for (const of of [0, 1]) {
    expect(channel(of).reduce((sum, value) => sum + value, 0) / 1024).toBeCloseTo(0, 5);
    expect(channel(of).reduce((sum, value) => sum + value ** 2, 0) / 1024).toBeCloseTo(1, 4);
  }
  expect(new Set(channel(2))).toEqual(new Set([0]));
});

test('augmented images are crops of the image in a black margin of 4, half of them mirrored, each place as often', () => {
  const times = 600;
  const pixels = augmented(first(grid(), times), IDENTITY, seededRandom(1).generator);
  const seen = new Map<string, number>();
  let mirroredTimes = 0;
  for (let index = 0; index < times; index++) {
    const image = pixels.subarray(index * 3072, (index + 1) * 3072);
    const at = (row: number, column: number) => [
      ...image.subarray((row * 32 + column) * 3, (row * 32 + column) * 3 + 3),
    ];
    // Wherever the crop lies, its middle is in the image.
    const [column = 0, row = 0, blue] = at(16, 16);
    expect(blue).toBe(200);
    const mirrored = (at(16, 17)[0] ?? 0) < column;
    const x = mirrored ? column - 16 : column - 17;
    const y = row - 17;
    expect(Math.max(Math.abs(x), Math.abs(y))).toBeLessThanOrEqual(4);
    const [left, right] = mirrored ? [31, 0] : [0, 31];
    expect(at(16, left)[0]).toBe(x < 0 ? 0 : 1 + x);
    expect(at(16, right)[0]).toBe(x > 0 ? 0 : 32 + x);
    expect(at(0, 16)[1]).toBe(y < 0 ? 0 : 1 + y);
    expect(at(31, 16)[1]).toBe(y > 0 ? 0 : 32 + y);
    seen.set(`${x} ${y}`, (seen.get(`${x} ${y}`) ?? 0) + 1);
    mirroredTimes += mirrored ? 1 : 0;
  }
  expect(seen.size).toBeGreaterThan(75);
  expect(mirroredTimes / times).toBeCloseTo(0.5, 1);
});

test('a generator that is put back draws the same crops and shares again', () => {
  const random = seededRandom(3);
  const batch = first(grid(), 5);
  const draw = () => mixed(augmented(batch, IDENTITY, random.generator), batch.labels, 0.4, random.generator);
  draw();
  const state = random.state();
  const [second, third] = [draw(), draw()];
  random.putBack(state);
  expect(draw()).toEqual(second);
  expect(draw()).toEqual(third);
  expect(third).not.toEqual(second);
});

test('mixup blends pixels and classes by the same share; without it nothing is drawn', () => {
  const pixels = Float32Array.of(10, 20, 30);
  const labels = Uint8Array.of(0, 1, 2);
  const { generator, state } = seededRandom(4);
  const before = state();
  const unmixed = mixed(pixels, labels, 0, generator);
  expect(state()).toEqual(before);
  expect([...unmixed.pixels]).toEqual([10, 20, 30]);
  expect([...unmixed.targets].map((share, at) => (share === 1 ? at : -1)).filter((at) => at >= 0)).toEqual([0, 11, 22]);
  const { pixels: values, targets } = mixed(pixels, labels, 1, generator);
  const share = targets[0] ?? 0;
  expect(share).toBeGreaterThan(0);
  expect(share).toBeLessThan(1);
  expect(targets[2]).toBeCloseTo(1 - share, 6);
  expect(values[0]).toBeCloseTo(10 * share + 30 * (1 - share), 4);
  // In the middle an image is its own partner.
  expect(targets[11]).toBeCloseTo(1, 6);
  expect(values[1]).toBeCloseTo(20, 4);
});

test('the smallest alpha mixes hardly anything, and draws no more for that', () => {
  let draws = 0;
  const { generator } = seededRandom(4);
  const counted: RandomGenerator = Object.assign(() => {
    if (++draws > 20) throw new Error('drawn for ever');
    return generator();
  }, generator);
  for (const alpha of [1e-9, Number.MIN_VALUE]) {
    draws = 0;
    const { targets } = mixed(Float32Array.of(1, 2), Uint8Array.of(0, 1), alpha, counted);
    expect([0, 1]).toContain(targets[0]);
  }
});

test('the stand-in: a digit in the middle of a black square, the same in three channels', () => {
  const records = standIn('t10k', 3);
  expect(records.length).toBe(3);
  const { images, labels } = records.take(Int32Array.of(0, 1, 2));
  // The first test images of MNIST.
  expect([...labels]).toEqual([7, 2, 1]);
  const [image = new Uint8Array()] = images;
  expect(image.subarray(1024, 2048)).toEqual(image.subarray(0, 1024));
  expect(image.subarray(2048)).toEqual(image.subarray(0, 1024));
  const ink = Array.from(image.subarray(0, 1024), (grey, at) => (grey > 0 ? at : -1)).filter((at) => at >= 0);
  expect(ink.length).toBeGreaterThan(50);
  expect(Math.min(...ink.map((at) => at % 32))).toBeGreaterThanOrEqual(2);
  expect(Math.min(...ink)).toBeGreaterThanOrEqual(64);
  expect(Math.max(...ink)).toBeLessThan(30 * 32);
});
