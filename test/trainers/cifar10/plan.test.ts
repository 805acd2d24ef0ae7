import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { expect, test } from 'vitest';
import { tfjsState } from '../../../src/worker/tfjs/tfjs-state.ts';
import { planOf } from '../../../trainers/cifar10/plan.ts';

test('warm-up, a cosine down to a tenth at three quarters of the epochs, and that rate to the end', () => {
  // 8 epochs of 10 steps: SWA from step 60, warm-up of 6 steps.
  const { schedule, swaStart } = planOf(8, 10, 0.7);
  expect(swaStart).toBe(60);
  expect(schedule.rate(0)).toBeCloseTo(0.1, 10);
  expect(schedule.rate(5)).toBeCloseTo(0.6, 10);
  expect(schedule.rate(6)).toBeCloseTo(0.7, 10);
  // Half-way down: the mean of 0.7 and 0.07.
  expect(schedule.rate(33)).toBeCloseTo(0.385, 10);
  expect([60, 70, 79].map((step) => schedule.rate(step).toFixed(6))).toEqual(['0.070000', '0.070000', '0.070000']);
});

test('SWA is the mean at the ends of the last epochs, EMA follows each step', async () => {
  await tf.setBackend('cpu');
  const { averages } = planOf(4, 2, 0.1);
  const weight = tf.variable(tf.scalar(0));
  const state = tfjsState({ model: weight, average: averages });
  const value = () => weight.dataSync()[0];
  for (let step = 1; step <= 8; step++) {
    tf.tidy(() => weight.assign(tf.scalar(step)));
    state.afterStep?.(step);
  }
  // From the end of epoch 3 of 4 on: after steps 6 and 8.
  expect(averages.swa.evaluate(value)).toBe(7);
  // Old shares (1 + n) / (10 + n): 1, then 2/11, 3/12, ... 8/17.
  let expected = 1;
  for (let updates = 1; updates < 8; updates++) {
    const share = (1 + updates) / (10 + updates);
    expected = expected * share + (updates + 1) * (1 - share);
  }
  expect(averages.ema.evaluate(value)).toBeCloseTo(expected, 5);
  expect(value()).toBe(8);
});

test('one epoch has one sample, at its end', () => {
  expect(planOf(1, 10, 0.1).swaStart).toBe(10);
});
