import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { decodeState, encodeState } from '../../../src/checkpoint/state-json.ts';
import { NkatError } from '../../../src/errors.ts';
import type { SavedState } from '../../../src/worker/state.ts';
import { ema, swa } from '../../../src/worker/tfjs/average.ts';
import { cosineSchedule } from '../../../src/worker/tfjs/schedule.ts';
import { tfjsState } from '../../../src/worker/tfjs/tfjs-state.ts';
import { BACKENDS, contents, network, OPTIMIZERS, onBackend, saved, trainStep } from './network.ts';

function training(name: string) {
  const model = network();
  const optimizer = OPTIMIZERS[name]?.() as tf.Optimizer;
  const state = tfjsState({
    model,
    optimizer,
    schedule: cosineSchedule({ initial: 0.01, steps: 20, warmupSteps: 2 }),
    average: name === 'sgd' ? swa({ start: 3, every: 2 }) : ema({ decay: 0.9 }),
  });
  const run = (from: number, to: number): void => {
    for (let step = from; step <= to; step++) {
      trainStep(model, optimizer, step);
      state.afterStep?.(step);
    }
  };
  return { model, optimizer, state, run };
}

/** As it comes back from disk. */
function throughDisk(state: SavedState): SavedState {
  return { tensors: state.tensors, json: decodeState(encodeState(state.json)) };
}

function refusal(action: () => void): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(NkatError);
    expect((error as NkatError).code).toBe('state-mismatch');
    return (error as NkatError).message;
  }
  throw new Error('it was accepted');
}

describe.each(BACKENDS)('on %s', (backend) => {
  test.each(Object.keys(OPTIMIZERS))('%s: resumed equals uninterrupted, bit for bit', async (name) => {
    await onBackend(backend);
    const whole = training(name);
    whole.run(1, 4);
    const middle = throughDisk(saved(whole.state.snapshot()));
    whole.run(5, 12);
    const end = saved(whole.state.snapshot());

    // Other models, optimizers and variables first: tfjs numbers everything in the order of creation.
    network();
    const other = training(name);
    other.run(1, 1);
    tf.variable(tf.scalar(1), false);

    const resumed = training(name);
    resumed.state.restore(middle);
    expect(contents(saved(resumed.state.snapshot()))).toEqual(contents(middle));
    resumed.run(5, 12);
    const again = saved(resumed.state.snapshot());
    expect(contents(again)).toEqual(contents(end));
    expect(again.json).toMatchObject({ steps: 12, optimizers: (end.json as { optimizers: object }).optimizers });
    expect(resumed.optimizer.iterations).toBe(12);
  });

  test('a trainer that has gone on returns to the saved step, slots and all', async () => {
    await onBackend(backend);
    const { state, run } = training('adam');
    const fresh = saved(state.snapshot());
    run(1, 3);
    const third = saved(state.snapshot());
    run(4, 6);
    const before = tf.memory().numTensors;
    state.restore(third);
    expect(tf.memory().numTensors).toBe(before);
    run(4, 6);
    const sixth = saved(state.snapshot());
    state.restore(fresh);
    expect(contents(saved(state.snapshot()))).toEqual(contents(fresh));
    run(1, 6);
    expect(contents(saved(state.snapshot()))).toEqual(contents(sixth));
  });
});

test('accumulated betas are put back as they were, not recomputed from the number of iterations', async () => {
  await onBackend('wasm');
  const first = training('adam');
  first.run(1, 7);
  const kept = saved(first.state.snapshot());
  const beta = new Float32Array(kept.tensors.get('optimizer/accBeta1')?.bytes.buffer ?? new ArrayBuffer(0))[0];
  const second = training('adam');
  second.state.restore(kept);
  const put = (second.optimizer as unknown as { accBeta1: tf.Variable }).accBeta1.dataSync()[0];
  expect(put).toBe(beta);
});

test('the schedule sets the learning rate after each step, and goes on from there after a restart', async () => {
  await onBackend('cpu');
  const schedule = { rate: (stepsDone: number) => 1 / (1 + stepsDone) };
  const optimizer = tf.train.sgd(99);
  const state = tfjsState({ model: network(), optimizer, schedule });
  expect(state.learningRate?.()).toBe(1);
  state.afterStep?.(1);
  expect(state.learningRate?.()).toBe(1 / 2);
  expect(optimizer.getConfig().learningRate).toBe(1 / 2);
  const again = tfjsState({ model: network(), optimizer: tf.train.sgd(99), schedule });
  again.restore(saved(state.snapshot()));
  expect(again.learningRate?.()).toBe(1 / 2);
  again.afterStep?.(2);
  expect(again.learningRate?.()).toBe(1 / 3);
});

test('a schedule with a memory gets it back', async () => {
  await onBackend('cpu');
  const halving = () => {
    let halved = 0;
    return {
      rate: () => 0.5 ** halved,
      halve: () => halved++,
      state: () => ({ halved }),
      restore: (state: unknown) => {
        halved = (state as { halved: number }).halved;
      },
    };
  };
  const first = halving();
  const state = tfjsState({ model: network(), optimizer: tf.train.adam(1), schedule: first });
  first.halve();
  const again = tfjsState({ model: network(), optimizer: tf.train.adam(1), schedule: halving() });
  again.restore(saved(state.snapshot()));
  expect(again.learningRate?.()).toBe(0.5);
});

test('a learning rate that the trainer sets itself survives too', async () => {
  await onBackend('cpu');
  const optimizer = tf.train.momentum(0.1, 0.9);
  const state = tfjsState({ model: network(), optimizer });
  optimizer.setLearningRate(0.025);
  const other = tf.train.momentum(0.1, 0.9);
  const again = tfjsState({ model: network(), optimizer: other });
  again.restore(saved(state.snapshot()));
  expect(other.getConfig().learningRate).toBe(0.025);
});

test.each(['sgd', 'momentum', 'adam'])(
  '%s without a schedule: a scale applies once, whatever was saved under',
  async (name) => {
    await onBackend('cpu');
    const make = (scale: number) => {
      const optimizer = OPTIMIZERS[name]?.() as tf.Optimizer;
      const state = tfjsState({ model: network(), optimizer });
      state.scaleLearningRate?.(scale);
      return { state, rate: () => (optimizer as unknown as { learningRate: number }).learningRate };
    };
    const full = make(1);
    const usual = full.rate();
    const half = make(0.5);
    expect(half.rate()).toBe(usual / 2);
    half.state.restore(throughDisk(saved(full.state.snapshot())));
    expect(half.rate()).toBe(usual / 2);
    const stillHalf = make(0.5);
    stillHalf.state.restore(throughDisk(saved(half.state.snapshot())));
    expect(stillHalf.rate()).toBe(usual / 2);
    const quarter = make(0.25);
    quarter.state.restore(throughDisk(saved(half.state.snapshot())));
    expect(quarter.rate()).toBe(usual / 4);
  },
);

test('several models and optimizers, by name', async () => {
  await onBackend('cpu');
  const gan = () => {
    const model = { generator: network(), critics: [network(), network()] };
    const optimizer = { generator: tf.train.adam(0.1), critic: tf.train.rmsprop(0.1) };
    return { model, optimizer, state: tfjsState({ model, optimizer }) };
  };
  const first = gan();
  trainStep(first.model.generator, first.optimizer.generator, 1);
  trainStep(first.model.critics[1] as tfl.LayersModel, first.optimizer.critic, 2);
  const kept = saved(first.state.snapshot());
  expect([...kept.tensors.keys()]).toContain('optimizer/critic/rms/model/critics/1/0_Dense/kernel');
  const second = gan();
  second.state.restore(kept);
  expect(contents(saved(second.state.snapshot()))).toEqual(contents(kept));
});

test('a compiled model brings its own optimizer', async () => {
  await onBackend('cpu');
  const model = network();
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
  expect(saved(tfjsState({ model }).snapshot()).tensors.has('optimizer/accBeta2')).toBe(true);
});

test('nested models and wrappers are named by structure', async () => {
  await onBackend('cpu');
  const build = () =>
    tfl.sequential({
      layers: [
        tfl.layers.bidirectional({
          layer: tfl.layers.simpleRNN({ units: 2, recurrentInitializer: 'glorotUniform' }) as tfl.RNN,
          inputShape: [4, 5],
          mergeMode: 'concat',
        }),
        tfl.sequential({ layers: [tfl.layers.dense({ units: 3, inputShape: [4] })] }),
      ],
    });
  build();
  const names = saved(tfjsState({ model: build() }).snapshot()).tensors.keys();
  expect([...names]).toEqual([
    'model/0_Bidirectional/kernel',
    'model/0_Bidirectional/recurrent_kernel',
    'model/0_Bidirectional/bias',
    'model/0_Bidirectional/kernel_1',
    'model/0_Bidirectional/recurrent_kernel_1',
    'model/0_Bidirectional/bias_1',
    'model/1_Sequential/0_Dense/kernel',
    'model/1_Sequential/0_Dense/bias',
  ]);
});

test('all that does not fit is named in one error, and nothing is changed', async () => {
  await onBackend('cpu');
  const { state, run } = training('adam');
  run(1, 2);
  const good = saved(state.snapshot());
  run(3, 3);
  const before = contents(saved(state.snapshot()));
  const tensors = new Map(good.tensors);
  const kernel = tensors.get('model/0_Dense/kernel') as NonNullable<ReturnType<typeof tensors.get>>;
  tensors.set('model/0_Dense/kernel', { ...kernel, shape: [7, 5] });
  tensors.set('model/2_Dense/kernel', { ...(tensors.get('model/2_Dense/kernel') ?? kernel), dtype: 'I32' });
  tensors.set('model/9_Dense/kernel', kernel);
  tensors.delete('model/2_Dense/bias');
  tensors.delete('optimizer/m/model/0_Dense/bias');
  const numTensors = tf.memory().numTensors;
  const message = refusal(() => state.restore({ tensors, json: good.json }));
  expect(message).toContain('model/0_Dense/kernel is F32[7, 5] instead of F32[5, 7]');
  expect(message).toContain('model/2_Dense/kernel is I32[7, 3] instead of F32[7, 3]');
  expect(message).toContain('model/9_Dense/kernel F32[5, 7] is unknown here');
  expect(message).toContain('model/2_Dense/bias F32[3] is missing');
  expect(message).toContain('optimizer/m/model/0_Dense/bias F32[7] is missing');
  expect(contents(saved(state.snapshot()))).toEqual(before);
  expect(tf.memory().numTensors).toBe(numTensors);
});

test('restored tensors neither need aligned bytes nor go on using them', async () => {
  await onBackend('cpu');
  const { state, run } = training('adam');
  run(1, 1);
  const good = saved(state.snapshot());
  const tensors = new Map(
    [...good.tensors].map(([name, tensor]) => {
      const bytes = new Uint8Array(tensor.bytes.length + 1).subarray(1);
      bytes.set(tensor.bytes);
      return [name, { ...tensor, bytes }];
    }),
  );
  state.restore({ tensors, json: good.json });
  for (const { bytes } of tensors.values()) bytes.fill(0xff);
  expect(contents(saved(state.snapshot()))).toEqual(contents(good));
});

test('another optimizer, another average and a foreign state are refused', async () => {
  await onBackend('cpu');
  const kept = saved(training('adam').state.snapshot());
  expect(refusal(() => training('adamax').state.restore(kept))).toContain('optimizer is Adam instead of Adamax');
  expect(refusal(() => training('sgd').state.restore(kept))).toContain('average is ema instead of swa');
  expect(refusal(() => tfjsState({ model: network() }).restore(kept))).toContain('optimizer (Adam) is unknown here');
  expect(refusal(() => training('adam').state.restore({ ...kept, json: null }))).toContain('not saved by tfjsState');
});

test('an optimizer of somebody else is refused at once', async () => {
  await onBackend('cpu');
  class Mine extends tf.SGDOptimizer {
    static override get className(): string {
      return 'Mine';
    }
  }
  expect(() => tfjsState({ model: network(), optimizer: new Mine(1) })).toThrow(/Mine is not one of tfjs's own/);
});

test('a schedule that reads what the trainer keeps is asked again when that is back', async () => {
  await onBackend('cpu');
  const kept = { images: 0 };
  const optimizer = OPTIMIZERS.adam?.() as tf.AdamOptimizer;
  const schedule = { rate: () => 1 / (1 + kept.images) };
  const state = tfjsState({ model: network(), optimizer, schedule });
  expect(state.learningRate?.()).toBe(1);
  state.scaleLearningRate?.(0.5);
  state.restore(throughDisk(saved(state.snapshot())));
  kept.images = 3;
  expect(state.learningRate?.()).toBe(0.5);
  state.restored?.();
  expect(state.learningRate?.()).toBe(0.125);
});
