import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, expect, test } from 'vitest';
import type { TrainingState } from '../../../src/worker/state.ts';
import { ema, swa, type WeightAverage } from '../../../src/worker/tfjs/average.ts';
import { type TfjsStateParts, tfjsState } from '../../../src/worker/tfjs/tfjs-state.ts';
import { contents, onBackend, saved } from './network.ts';

beforeEach(async () => {
  await onBackend('cpu');
});

function weight(average: WeightAverage): {
  set(value: number, step?: number): void;
  get(): number;
  state: TrainingState;
} {
  const variable = tf.variable(tf.scalar(0));
  const state = tfjsState({ model: variable, average });
  return {
    set(value, step) {
      tf.tidy(() => variable.assign(tf.scalar(value)));
      if (step !== undefined) state.afterStep?.(step);
    },
    get: () => variable.dataSync()[0] ?? Number.NaN,
    state,
  };
}

test('EMA decays fast at first and by its decay in the end', () => {
  const average = ema({ decay: 0.25 });
  const { set, get } = weight(average);
  set(10, 1);
  expect(average.evaluate(get)).toBe(10);
  set(20, 2);
  // (1 + 1) / (10 + 1) of the old one.
  expect(average.evaluate(get)).toBeCloseTo(10 * (2 / 11) + 20 * (9 / 11), 5);
  const before = average.evaluate(get);
  set(0, 3);
  expect(average.evaluate(get)).toBeCloseTo(before * 0.25, 5);
});

test('SWA is the mean of every n-th step from the start on', () => {
  const average = swa({ start: 4, every: 2 });
  const { set, get } = weight(average);
  for (let step = 1; step <= 9; step++) set(step, step);
  expect(average.evaluate(get)).toBeCloseTo((4 + 6 + 8) / 3, 6);
  expect(get()).toBe(9);
});

test('a run that is resumed with a later start of SWA counts from there only', () => {
  const before = weight(swa({ start: 2, every: 2 }));
  for (let step = 1; step <= 4; step++) before.set(100, step);
  const average = swa({ start: 6, every: 2 });
  const { set, get, state } = weight(average);
  state.restore(saved(before.state.snapshot()));
  for (let step = 5; step <= 8; step++) set(step, step);
  expect(average.evaluate(get)).toBe(7);
});

test('before its first update the weights themselves are evaluated', () => {
  const average = swa({ start: 100 });
  const { set, get } = weight(average);
  set(3, 1);
  expect(average.evaluate(get)).toBe(3);
});

test('the weights come back after a result, an error, a promise and a rejection', async () => {
  const average = ema({ decay: 0.5 });
  const { set, get } = weight(average);
  set(1, 1);
  set(2);
  const fail = (): never => {
    throw new Error('no');
  };
  expect(average.evaluate(get)).toBe(1);
  expect(get()).toBe(2);
  expect(() => average.evaluate(fail)).toThrow('no');
  expect(get()).toBe(2);
  const numTensors = tf.memory().numTensors;
  const pending = average.evaluate(async () => {
    await Promise.resolve();
    return get();
  });
  expect(get()).toBe(1);
  expect(await pending).toBe(1);
  expect(get()).toBe(2);
  await expect(average.evaluate(async () => fail())).rejects.toThrow('no');
  expect(get()).toBe(2);
  expect(tf.memory().numTensors).toBeLessThan(numTensors + 1);
});

test('a snapshot inside evaluate holds the weights in training; steps and restores there are refused', () => {
  const average = ema({ decay: 0.5 });
  const { set, state } = weight(average);
  set(1, 1);
  set(2);
  const outside = saved(state.snapshot());
  const inside = average.evaluate(() => saved(state.snapshot()));
  expect(contents(inside)).toEqual(contents(outside));
  expect(() => average.evaluate(() => state.afterStep?.(2))).toThrow(/inside average.evaluate/);
  expect(() => average.evaluate(() => state.restore(outside))).toThrow(/inside average.evaluate/);
  expect(() => average.evaluate(() => average.evaluate(() => 1))).toThrow(/inside average.evaluate/);
});

test('averaging leaks no tensors', () => {
  const average = ema({ decay: 0.5 });
  const { set } = weight(average);
  set(1, 1);
  const { numTensors } = tf.memory();
  for (let step = 2; step < 6; step++) set(step, step);
  expect(tf.memory().numTensors).toBe(numTensors);
});

test('senseless options and a second state are refused', () => {
  expect(() => ema({ decay: 1 })).toThrow(/decay of 1/);
  expect(() => swa({ start: 0, every: 0 })).toThrow(/every >= 1/);
  const average = ema({ decay: 0.5 });
  weight(average);
  expect(() => weight(average)).toThrow(/two states/);
});

test('several averages by name are saved and put back together, one evaluated at a time', () => {
  const training = () => {
    const variable = tf.variable(tf.scalar(0));
    const averages = { ema: ema({ decay: 0.25 }), swa: swa({ start: 2 }) };
    const state = tfjsState({ model: variable, average: averages });
    const step = (value: number, number: number) => {
      tf.tidy(() => variable.assign(tf.scalar(value)));
      state.afterStep?.(number);
    };
    const get = () => variable.dataSync()[0] ?? Number.NaN;
    return { ...averages, state, step, values: () => [get(), averages.ema.evaluate(get), averages.swa.evaluate(get)] };
  };
  const first = training();
  first.step(8, 1);
  first.step(4, 2);
  const kept = saved(first.state.snapshot());
  expect([...kept.tensors.keys()]).toEqual(['model', 'average/ema/model', 'average/swa/model']);
  first.step(6, 3);
  expect(first.values()[2]).toBe(5);
  const second = training();
  second.state.restore(kept);
  second.step(6, 3);
  expect(second.values()).toEqual(first.values());
  expect(contents(saved(second.state.snapshot()))).toEqual(contents(saved(first.state.snapshot())));
  expect(() => first.ema.evaluate(() => first.swa.evaluate(() => 1))).toThrow(/inside average.evaluate/);
  const inside = first.swa.evaluate(() => saved(first.state.snapshot()));
  expect(contents(inside)).toEqual(contents(saved(first.state.snapshot())));
});

test('a checkpoint with other averages is refused', () => {
  const stateWith = (average: TfjsStateParts['average']) =>
    tfjsState({ model: tf.variable(tf.scalar(0)), ...(average === undefined ? {} : { average }) });
  const several = saved(stateWith({ ema: ema({ decay: 0.5 }), swa: swa({ start: 2 }) }).snapshot());
  expect(() => stateWith({ ema: ema({ decay: 0.5 }) }).restore(several)).toThrow(/average\/swa is swa instead of none/);
  expect(() => stateWith(ema({ decay: 0.5 })).restore(several)).toThrow(/the weight average is none instead of ema/);
  expect(() => stateWith(undefined).restore(several)).toThrow(/average\/ema is ema instead of none/);
});
