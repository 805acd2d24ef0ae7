import { expect, test } from 'vitest';
import { cosineSchedule } from '../../../src/worker/tfjs/schedule.ts';

test('a cosine falls from the initial to the final rate and stays there', () => {
  const { rate } = cosineSchedule({ initial: 1, steps: 10, final: 0.2 });
  expect([rate(0), rate(5), rate(10), rate(11)]).toEqual([1, expect.closeTo(0.6, 12), 0.2, 0.2]);
});

test('a warm-up rises linearly first', () => {
  const { rate } = cosineSchedule({ initial: 1, steps: 13, warmupSteps: 3 });
  expect([rate(0), rate(1), rate(2), rate(3)]).toEqual([0.25, 0.5, 0.75, 1]);
  expect(rate(8)).toBeCloseTo(0.5, 12);
  expect(rate(13)).toBe(0);
});

test('numbers that make no sense are refused', () => {
  for (const options of [
    { initial: 0, steps: 1 },
    { initial: 1, steps: 0 },
    { initial: 1, steps: 5, warmupSteps: 5 },
    { initial: 1, steps: Number.NaN },
    { initial: 1, steps: 2, final: -1 },
  ]) {
    expect(() => cosineSchedule(options)).toThrow(/cosine schedule needs/);
  }
});
