/** A small network with every kind of weight, and ways to train it step by step. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import * as tfl from '@tensorflow/tfjs-layers';
import type { SavedState, Snapshot } from '../../../src/worker/state.ts';
import { savedTensors } from '../rig/tensor-bytes.ts';

export const BACKENDS = ['wasm', 'cpu'] as const;

export const OPTIMIZERS: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.02, 0.9),
  nesterov: () => tf.train.momentum(0.02, 0.9, true),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.5),
  adam: () => tf.train.adam(0.01),
  adamax: () => tf.train.adamax(0.01, undefined, undefined, undefined, 0.01),
  rmsprop: () => tf.train.rmsprop(0.005, 0.9, 0.5),
  'rmsprop centered': () => tf.train.rmsprop(0.005, 0.9, 0.5, undefined, true),
};

export async function onBackend(name: (typeof BACKENDS)[number]): Promise<void> {
  if (name === 'wasm' && tf.findBackend('wasm') === null) setThreadsCount(1);
  await tf.setBackend(name);
}

export function network(): tfl.Sequential {
  const initializer = (seed: number) => tfl.initializers.glorotUniform({ seed });
  return tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 7, inputShape: [5], activation: 'relu', kernelInitializer: initializer(1) }),
      tfl.layers.batchNormalization(),
      tfl.layers.dense({ units: 3, kernelInitializer: initializer(2) }),
    ],
  });
}

/** One step on data that depends on the step alone. */
export function trainStep(model: tfl.LayersModel, optimizer: tf.Optimizer, step: number): void {
  tf.tidy(() => {
    const inputs = tf.randomUniform([8, 5], -1, 1, 'float32', 1000 + step);
    const targets = tf.randomUniform([8, 3], -1, 1, 'float32', 2000 + step);
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    optimizer.minimize(
      () => {
        const outputs = model.apply(inputs, { training: true }) as tf.Tensor;
        return tf.mean(tf.squaredDifference(outputs, targets));
      },
      false,
      variables,
    );
  });
}

/** All that a snapshot holds, read now and released. */
export function saved(snapshot: Snapshot): SavedState {
  const tensors = savedTensors(snapshot.tensors);
  snapshot.release();
  return { tensors, json: snapshot.json };
}

/** Comparable by `toEqual`: names and exact bytes. */
export function contents(state: SavedState): Record<string, string> {
  return Object.fromEntries(
    [...state.tensors].map(([name, { dtype, shape, bytes }]) => [
      name,
      `${dtype}[${shape}] ${Buffer.from(bytes).toString('hex')}`,
    ]),
  );
}
