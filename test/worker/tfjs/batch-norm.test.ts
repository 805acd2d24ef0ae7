import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, expect, test } from 'vitest';
import { swa } from '../../../src/worker/tfjs/average.ts';
import { recomputeBatchNorm } from '../../../src/worker/tfjs/batch-norm.ts';
import { tfjsState } from '../../../src/worker/tfjs/tfjs-state.ts';
import { onBackend } from './network.ts';

beforeEach(async () => {
  await onBackend('cpu');
});

/** The dense layer multiplies by its only weight. */
function normalised(): { model: tfl.Sequential; setWeight(value: number): void; statistics(): number[] } {
  const model = tfl.sequential({
    layers: [
      tfl.layers.dropout({ rate: 0.9, inputShape: [1] }),
      tfl.layers.dense({ units: 1, useBias: false }),
      tfl.layers.batchNormalization({ momentum: 0.99 }),
    ],
  });
  const kernel = model.layers[1]?.weights[0]?.read() as tf.Variable;
  return {
    model,
    setWeight: (value) => tf.tidy(() => kernel.assign(tf.tensor2d([[value]]))),
    statistics: () => model.layers[2]?.nonTrainableWeights.map((weight) => weight.read().dataSync()[0] ?? 0) ?? [],
  };
}

const batches = () => [tf.tensor2d([[1], [3]]), tf.tensor2d([[4], [8]])];

test('the statistics are the mean of those of the batches, whatever stood there, with nothing dropped', () => {
  const { model, setWeight, statistics } = normalised();
  setWeight(2);
  recomputeBatchNorm(model, batches());
  // 2 and 6, 8 and 16: means 4 and 12, variances 4 and 16.
  expect(statistics()).toEqual([8, 10]);
  recomputeBatchNorm(model, [tf.tensor2d([[1], [3]])]);
  expect(statistics()).toEqual([4, 4]);
});

test('a batch that is not full counts by its samples', () => {
  const { model, setWeight, statistics } = normalised();
  setWeight(1);
  recomputeBatchNorm(model, [tf.tensor2d([[1], [3], [1], [3]]), tf.tensor2d([[102]])]);
  // Means 2 and 102, variances 1 and 0, four times the first.
  expect(statistics()[0]).toBeCloseTo(22, 4);
  expect(statistics()[1]).toBeCloseTo(0.8, 4);
});

test('afterwards the layers learn their statistics and drop as before, and no tensor is left', () => {
  const { model, setWeight, statistics } = normalised();
  setWeight(1);
  recomputeBatchNorm(model, [tf.tensor2d([[1], [3]])]);
  const { numTensors } = tf.memory();
  recomputeBatchNorm(model, batches());
  expect(tf.memory().numTensors).toBe(numTensors);
  recomputeBatchNorm(model, [tf.tensor2d([[1], [3]])]);
  tf.tidy(() => void model.layers[2]?.apply(tf.tensor2d([[102], [102]]), { training: true }));
  // 2 + (102 - 2) / 100
  expect(statistics()[0]).toBeCloseTo(3, 5);
  tf.tidy(() => {
    const dropped = model.layers[0]?.apply(tf.ones([1000, 1]), { training: true }) as tf.Tensor;
    expect(new Set(dropped.dataSync()).size).toBe(2);
  });
});

test('inside an average they are those of its weights; those in training come back', () => {
  const { model, setWeight, statistics } = normalised();
  const average = swa({ start: 0 });
  const state = tfjsState({ model, average });
  setWeight(1);
  state.afterStep?.(1);
  setWeight(3);
  state.afterStep?.(2);
  const before = statistics();
  average.evaluate(() => {
    recomputeBatchNorm(model, batches());
    expect(statistics()).toEqual([8, 10]);
  });
  expect(statistics()).toEqual(before);
  average.evaluate(() => expect(statistics()).toEqual(before));
});

test('without a batch it refuses', () => {
  expect(() => recomputeBatchNorm(normalised().model, [])).toThrow(/need a batch/);
});
