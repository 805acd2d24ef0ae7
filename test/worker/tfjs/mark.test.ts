/** Whatever of a state is changed after the boundary is found, one thing at a time: a crash then saves nothing. */
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { ema } from '../../../src/worker/tfjs/average.ts';
import { tfjsState } from '../../../src/worker/tfjs/tfjs-state.ts';
import { BACKENDS, network, OPTIMIZERS, onBackend, trainStep } from './network.ts';

/** Every variable that an optimizer holds, found by looking, so that none is left out with the code that is tested. */
function variablesOf(optimizer: tf.Optimizer): tf.Variable[] {
  return Object.values(optimizer).flatMap((value: unknown) => {
    if (value instanceof tf.Variable) return [value];
    if (!Array.isArray(value)) return [];
    return value.flatMap((slot: { variable?: unknown }) =>
      slot.variable instanceof tf.Variable ? [slot.variable] : [],
    );
  });
}

function assignAnew(variable: tf.Variable): void {
  const values = tf.onesLike(variable);
  variable.assign(values);
  values.dispose();
}

describe.each(BACKENDS)('on %s', (backend) => {
  test.each(Object.keys(OPTIMIZERS))('%s: each weight and each slot', async (name) => {
    await onBackend(backend);
    const model = network();
    const optimizer = OPTIMIZERS[name]?.() as tf.Optimizer;
    const state = tfjsState({ model, optimizer });
    for (let step = 1; step <= 2; step++) trainStep(model, optimizer, step);
    const slots = variablesOf(optimizer);
    if (name !== 'sgd') expect(slots.length).toBeGreaterThan(0);
    const weights = model.weights.map((weight) => weight.read() as tf.Variable);
    for (const variable of [...weights, ...slots]) {
      state.mark?.();
      expect(state.isMarked?.()).toBe(true);
      assignAnew(variable);
      expect(state.isMarked?.()).toBe(false);
    }
  });

  test('the average, the rate, the count of updates, and the memory of a schedule', async () => {
    await onBackend(backend);
    const model = network();
    const optimizer = tf.train.adam(0.01);
    const memory = { worst: 0 };
    const schedule = { rate: () => 0.01, state: () => memory };
    const state = tfjsState({ model, optimizer, average: ema({ decay: 0.5 }), schedule });
    trainStep(model, optimizer, 1);
    const internals = optimizer as unknown as { learningRate: number; iterations_: number };
    const changes: (() => void)[] = [
      () => state.afterStep?.(1),
      () => {
        internals.learningRate = 0.02;
      },
      () => {
        internals.iterations_ += 1;
      },
      () => {
        memory.worst = 1;
      },
    ];
    for (const change of changes) {
      state.mark?.();
      expect(state.isMarked?.()).toBe(true);
      change();
      expect(state.isMarked?.()).toBe(false);
    }
  });
});
