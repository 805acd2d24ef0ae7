/** The MNIST trainer's own work (network, batches, average, saves), which tells the time of its first step. */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { cosineSchedule, ema, tfjsState, useBackend } from 'nkat-recover/tfjs';
import { connect } from 'nkat-recover/worker';
import { DIGITS, type DigitBatch, loadDigits, PIXELS } from '../../trainers/mnist/data.ts';

const { values: flags } = parseArgs({
  options: {
    epochs: { type: 'string', default: '1000' },
    /** Steps between two lines with the speed; 0: none. */
    report: { type: 'string', default: '0' },
    limit: { type: 'string', default: '55000' },
  },
});
const epochs = Number(flags.epochs);
const report = Number(flags.report);

const run = await connect({ seed: 1 });
run.phase('load');
await useBackend({ requireGpu: run.requireGpu });
const training = loadDigits('train').slice(0, Number(flags.limit));
const initializer = (offset: number) => tfl.initializers.heNormal({ seed: offset });
const model = tfl.sequential({
  layers: [
    tfl.layers.dense({ units: 128, inputShape: [PIXELS], activation: 'relu', kernelInitializer: initializer(1) }),
    tfl.layers.dense({ units: DIGITS, kernelInitializer: initializer(2) }),
  ],
});
const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
const optimizer = tf.train.adam(0.002);
const schedule = cosineSchedule({ initial: 0.002, steps: epochs * Math.ceil(training.length / 128) });
await run.restore(tfjsState({ model, optimizer, schedule, average: ema({ decay: 0.99 }) }));

let first = true;
let reportedAt = performance.now();
for (const _ of run.epochs(epochs)) {
  for (const batch of run.batches(training, { size: 128, seed: 1 })) {
    await run.step({ loss: trainOnBatch(batch) });
    if (first) console.log(`first-step ${Date.now()} ${process.pid} ${run.resumed?.step ?? 0}`);
    first = false;
    if (report > 0 && run.steps % report === 0) {
      const now = performance.now();
      console.log(`speed ${(report * 1000) / (now - reportedAt)}`);
      reportedAt = now;
    }
  }
}
await run.complete();

function trainOnBatch({ pixels, labels }: DigitBatch): number {
  return tf.tidy(() => {
    const inputs = tf.tensor2d(pixels, [labels.length, PIXELS]);
    const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), DIGITS);
    const lossOf = () => tf.losses.softmaxCrossEntropy(targets, model.apply(inputs) as tf.Tensor) as tf.Scalar;
    const loss = optimizer.minimize(lossOf, true, weights);
    return loss?.dataSync()[0] ?? Number.NaN;
  });
}
