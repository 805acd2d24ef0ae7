import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/worker/random.ts';
import { RandomSlots } from '../../src/worker/random-slots.ts';

const draw = (random: () => number, count: number) => Array.from({ length: count }, () => random());

test('a state put back repeats the sequence, whatever was drawn in between', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(50), fc.nat(50), (seed, before, between) => {
      const random = seededRandom(seed);
      draw(random.generator, before);
      const state = random.state();
      const first = [...draw(random.generator, 20), random.generator.normal(), random.generator.integer(1000)];
      draw(random.generator, between);
      random.putBack(state);
      expect([...draw(random.generator, 20), random.generator.normal(), random.generator.integer(1000)]).toEqual(first);
    }),
  );
});

test('a state survives JSON', () => {
  const random = seededRandom(5);
  const state = JSON.parse(JSON.stringify(random.state())) as ReturnType<typeof random.state>;
  const expected = draw(random.generator, 5);
  const other = seededRandom(6);
  other.putBack(state);
  expect(draw(other.generator, 5)).toEqual(expected);
});

test('values are uniform in [0, 1): chi-square over 64 bins of 64,000 draws', () => {
  const { generator } = seededRandom(1);
  const bins = new Array<number>(64).fill(0);
  for (const value of draw(generator, 64_000)) {
    const bin = Math.floor(value * 64);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  expect(bins).toHaveLength(64);
  // 63 degrees of freedom: 103.4 is passed by one in a thousand good generators; the seed is fixed.
  expect(bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(103.4);
});

test('integers are unbiased in range, and nonsense limits are refused', () => {
  const { generator } = seededRandom(2);
  const counts = [0, 0, 0];
  for (let at = 0; at < 30_000; at++) {
    const value = generator.integer(3);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(300);
  for (const limit of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN]) expect(() => generator.integer(limit)).toThrow(RangeError);
  expect(generator.integer(1)).toBe(0);
});

test('normal draws have mean 0 and deviation 1', () => {
  const { generator } = seededRandom(3);
  const values = Array.from({ length: 20_000 }, () => generator.normal());
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});

test('shuffle is a permutation', () => {
  const items = Array.from({ length: 100 }, (_, at) => at);
  const shuffled = seededRandom(4).generator.shuffle([...items]);
  expect(shuffled).not.toEqual(items);
  expect(shuffled.toSorted((a, b) => a - b)).toEqual(items);
});

test('the generator behind Math.random and run.random do not disturb one another', () => {
  const original = Math.random;
  try {
    const alone = draw(new RandomSlots(9).run.generator, 5);
    const slots = new RandomSlots(9);
    slots.replaceMathRandom();
    const mixed = alone.map(() => {
      Math.random();
      return slots.run.generator();
    });
    expect(mixed).toEqual(alone);
    const { now } = slots.state();
    const math = draw(Math.random, 4);
    slots.putBack(now);
    expect(draw(Math.random, 4)).toEqual(math);
  } finally {
    Math.random = original;
  }
});
