import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { ema } from '../../../src/worker/tfjs/average.ts';
import { windowReader } from '../../../src/worker/tfjs/tensor-bytes.ts';
import { tfjsState } from '../../../src/worker/tfjs/tfjs-state.ts';
import { savedTensors } from '../rig/tensor-bytes.ts';
import { BACKENDS, contents, network, OPTIMIZERS, onBackend, saved, trainStep } from './network.ts';

describe.each(BACKENDS)('on %s', (backend) => {
  test.each(Object.keys(OPTIMIZERS))('%s: a snapshot keeps its moment while training goes on', async (name) => {
    await onBackend(backend);
    const model = network();
    const optimizer = OPTIMIZERS[name]?.() as tf.Optimizer;
    const state = tfjsState({ model, optimizer, average: ema({ decay: 0.9 }) });
    const step = (number: number): void => {
      trainStep(model, optimizer, number);
      state.afterStep?.(number);
    };
    for (let number = 1; number <= 3; number++) step(number);
    const then = saved(state.snapshot());
    const before = tf.memory().numTensors;
    const snapshot = state.snapshot();

    for (let number = 4; number <= 6; number++) step(number);
    for (const weight of model.weights) {
      const ones = tf.onesLike(weight.read());
      (weight.read() as tf.Variable).assign(ones);
      ones.dispose();
    }
    model.dispose();
    optimizer.dispose();

    const later = savedTensors(snapshot.tensors);
    expect(contents({ tensors: later, json: null })).toEqual(contents(then));
    expect(snapshot.json).toEqual(then.json);
    const held = tf.memory().numTensors;
    snapshot.release();
    expect(held - tf.memory().numTensors).toBe(snapshot.tensors.length);
    expect(tf.memory().numTensors).toBeLessThan(before);
  });

  test('what is read is the reader’s own, and nothing leaks', async () => {
    await onBackend(backend);
    const model = network();
    const optimizer = tf.train.adam(0.01);
    const state = tfjsState({ model, optimizer });
    trainStep(model, optimizer, 1);
    const { numTensors, numBytes } = tf.memory();
    const first = saved(state.snapshot());
    for (const { bytes } of first.tensors.values()) {
      expect(bytes.byteOffset).toBe(0);
      expect(bytes.buffer.byteLength).toBe(bytes.byteLength);
      bytes.fill(0xff);
    }
    const second = saved(state.snapshot());
    expect([...second.tensors.values()].every(({ bytes }) => bytes.every((byte) => byte === 0xff))).toBe(false);
    expect(contents(saved(state.snapshot()))).toEqual(contents(second));
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
  });

  test('taking a snapshot copies nothing', async () => {
    await onBackend(backend);
    const big = tf.variable(tf.zeros([1024, 1024]));
    const state = tfjsState({ model: { big } });
    const { numBytes, numDataBuffers } = tf.memory();
    const snapshot = state.snapshot();
    expect(tf.memory().numDataBuffers).toBe(numDataBuffers);
    snapshot.release();
    expect(tf.memory()).toMatchObject({ numBytes, numDataBuffers });
  });

  test('scalars, empty tensors, integers and booleans come as they are', async () => {
    await onBackend(backend);
    const model = {
      scalar: tf.variable(tf.scalar(-0), true),
      empty: tf.variable(tf.zeros([0, 3])),
      whole: [tf.variable(tf.tensor1d([1, -2], 'int32')), tf.variable(tf.tensor1d([true, false], 'bool'))],
    };
    const state = tfjsState({ model });
    const kept = saved(state.snapshot());
    expect(contents(kept)).toEqual({
      'model/scalar': 'F32[] 00000080',
      'model/empty': 'F32[0,3] ',
      'model/whole/0': 'I32[2] 01000000feffffff',
      'model/whole/1': 'BOOL[2] 0100',
    });
    for (const variable of [model.scalar, model.empty, ...model.whole]) {
      const ones = tf.onesLike(variable);
      variable.assign(ones);
    }
    state.restore(kept);
    expect(contents(saved(state.snapshot()))).toEqual(contents(kept));
  });
});

test('a tensor that safetensors cannot hold is refused by name', async () => {
  await onBackend('cpu');
  const words = tf.variable(tf.tensor1d(['a', 'b']), false);
  expect(() => tfjsState({ model: { words } })).toThrow(/model\/words is a string tensor/);
});

test('a variable that is trained but not part of the state is refused', async () => {
  await onBackend('cpu');
  const [inside, outside] = [tf.variable(tf.scalar(1)), tf.variable(tf.scalar(2))];
  const optimizer = tf.train.adam(0.1);
  const state = tfjsState({ model: { inside }, optimizer });
  optimizer.minimize(() => tf.mul(inside, outside) as tf.Scalar, false, [inside, outside]);
  expect(() => state.snapshot()).toThrow(/which is not part of the state/);
});

test('a backend that hands out copies is read in windows, whatever the pieces are', async () => {
  await onBackend('cpu');
  for (const dtype of ['float32', 'bool'] as const) {
    const tensor = tf.tidy(() => tf.cast(tf.randomUniform([11, 5], -2, 2, 'float32', 3), dtype));
    const values = tensor.dataSync();
    const expected = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (const piece of [1, 7, 16, 1000]) {
      const read = windowReader(tensor, 16);
      const bytes = new Uint8Array(expected.length);
      for (let at = 0; at < bytes.length; at += piece) read(bytes.subarray(at, at + piece), at);
      expect([...bytes]).toEqual([...expected]);
    }
    tensor.dispose();
  }
});
