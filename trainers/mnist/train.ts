/**
 * A network that reads handwritten digits. Read it as the manual of the SDK: the lines with `run` are all that it takes
 * to survive crashes, power cuts and Ctrl-C.
 *
 *     nkat-recover run trainers/mnist/train.ts --epochs 3
 *
 * Without a supervisor (node --import ./dist/worker/preload.js trainers/mnist/train.ts) it saves and resumes as well.
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { cosineSchedule, ema, tfjsState, useBackend } from 'nkat-recover/tfjs';
import { connect } from 'nkat-recover/worker';
import { DIGITS, type DigitBatch, type Digits, loadDigits, PIXELS } from './data.ts';

const { values: flags } = parseArgs({
  options: {
    epochs: { type: 'string', default: '3' },
    'batch-size': { type: 'string', default: '128' },
    'learning-rate': { type: 'string', default: '0.002' },
    /** Train with the first so many images only. */
    limit: { type: 'string', default: '55000' },
    seed: { type: 'string', default: '1' },
  },
});
const epochs = Number(flags.epochs);
const batchSize = Number(flags['batch-size']);
const seed = Number(flags.seed);

// 1. Join the supervisor; without one the run looks after itself. Where a card's memory was full, batches become smaller.
const run = await connect({ seed, adaptsBatch: true });

// 2. Everything that a resumed run builds anew: backend, data, model, optimizer. Seeds make it the same each time.
run.phase('load');
const backend = await useBackend({ requireGpu: run.requireGpu });
const everything = loadDigits('train');
const training = everything.slice(0, Math.min(Number(flags.limit), 55_000));
const validation = everything.slice(55_000);

const initializer = (offset: number) => tfl.initializers.heNormal({ seed: seed + offset });
const model = tfl.sequential({
  layers: [
    tfl.layers.dense({ units: 128, inputShape: [PIXELS], activation: 'relu', kernelInitializer: initializer(1) }),
    tfl.layers.dense({ units: DIGITS, kernelInitializer: initializer(2) }),
  ],
});
const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
const initial = Number(flags['learning-rate']);
const optimizer = tf.train.adam(initial);
const seen = run.keep('seen', { images: 0 });
const stepsPerEpoch = Math.ceil(training.length / batchSize);
const cosine = cosineSchedule({ initial, steps: epochs * stepsPerEpoch });
// The rate falls with the images that were seen: a step with half a batch is half a step.
const schedule = { rate: () => cosine.rate(fullSteps(seen.images)) };
const average = ema({ decay: 0.99 });

// 3. What must survive: the state of the training, and (above) variables of our own. The best model is kept in a second place.
const state = tfjsState({ model, optimizer, schedule, average });
run.bestBy('accuracy', 'max');
await run.restore(state);
const from = run.resumed === null ? 'from the start' : `from step ${run.resumed.step}`;
console.log(`${training.length} images, ${model.countParams()} weights, ${backend.name}, ${from}`);

// 4. Train. A resumed run takes up epoch, batch and all else where the checkpoint was made.
for (const epoch of run.epochs(epochs)) {
  for (const batch of run.batches(training, { size: batchSize, seed })) {
    const loss = trainOnBatch(batch);
    seen.images += batch.labels.length;
    await run.step({ loss });
  }
  const accuracy = average.evaluate(() => accuracyOn(validation));
  console.log(`epoch ${epoch + 1}: loss ${run.mean('loss').toFixed(4)}, validation accuracy ${percent(accuracy)}`);
  await run.epochEnd({ accuracy });
}

// 5. Test, then say that it is done: the final checkpoint is made and checked.
run.phase('eval');
const tested = average.evaluate(() => accuracyOn(loadDigits('t10k')));
console.log(`test accuracy ${percent(tested)} after ${seen.images} images`);
await run.complete();

/** How many batches of full size that is, counted epoch by epoch: the last batch of each is smaller. */
function fullSteps(images: number): number {
  const epochsSeen = Math.floor(images / training.length);
  return epochsSeen * stepsPerEpoch + (images - epochsSeen * training.length) / batchSize;
}

/** One update of the weights. `tf.tidy` frees every tensor in between; without it memory would fill up. */
function trainOnBatch({ pixels, labels }: DigitBatch): number {
  return tf.tidy(() => {
    const inputs = tf.tensor2d(pixels, [labels.length, PIXELS]);
    const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), DIGITS);
    const lossOf = () => tf.losses.softmaxCrossEntropy(targets, model.apply(inputs) as tf.Tensor) as tf.Scalar;
    const loss = optimizer.minimize(lossOf, true, weights);
    return loss?.dataSync()[0] ?? Number.NaN;
  });
}

/** Share of the digits that are read right. */
function accuracyOn(digits: Digits): number {
  let right = 0;
  for (const { pixels, labels } of digits.inOrder(1_000)) {
    const guesses = tf.tidy(() => {
      const inputs = tf.tensor2d(pixels, [labels.length, PIXELS]);
      return tf.argMax(model.apply(inputs) as tf.Tensor, 1).dataSync();
    });
    right += labels.filter((label, at) => label === guesses[at]).length;
  }
  return right / digits.length;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
