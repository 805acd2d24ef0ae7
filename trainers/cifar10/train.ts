/**
 * A convolutional network for CIFAR-10, with all that a resume must bring back: batch normalization, dropout, momentum,
 * a schedule, two weight averages, and images that are cropped, mirrored and mixed by chance.
 *
 *     nkat-recover backend install
 *     nkat-recover run trainers/cifar10/train.ts --data cifar-10-batches-bin
 *
 * Without --data it trains on a stand-in and says so.
 */
import * as tf from '@tensorflow/tfjs-core';
import { recomputeBatchNorm, seededDropout, tfjsState, useBackend } from 'nkat-recover/tfjs';
import { connect, NkatError } from 'nkat-recover/worker';
import { loadData } from './data.ts';
import { mixed } from './mixup.ts';
import { network } from './network.ts';
import { type Options, readOptions } from './options.ts';
import { Pace } from './pace.ts';
import { augmented, normalisationOf, plain } from './pixels.ts';
import { planOf } from './plan.ts';
import { CHANNELS, CLASSES, type RecordBatch, type Records, SIDE } from './records.ts';
import { Refusal } from './refusal.ts';

/** Images at a time where no gradient is needed. */
const EVALUATED = 500;
/** Training images that the statistics for SWA are taken of. */
const STATISTICS = 5_000;

let options: Options;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`${error.message}. ${error.hint}\n`);
  process.exit(78);
}
const run = await connect({ seed: options.seed });
run.phase('load');
const backend = await useBackend({ requireNative: true, requireGpu: run.requireGpu }).catch((error: unknown): never => {
  if (!(error instanceof NkatError)) throw error;
  const what = run.requireGpu ? 'this run needs a GPU' : 'this network needs the native backend';
  return run.refuse(`${what}: nkat-recover backend install (${error.message})`);
});
const data = loaded();
const { training, test } = data;
const normalisation = normalisationOf(training);

const stepsPerEpoch = Math.floor(training.length / options.batch);
const plan = planOf(options.epochs, stepsPerEpoch, options.learningRate);
const { ema, swa } = plan.averages;
const model = network(options.width, options.seed);
const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
const optimizer = tf.train.momentum(options.learningRate, 0.9, true);
const dropout = seededDropout(model, options.seed);

const state = tfjsState({ model, optimizer, schedule: plan.schedule, average: plan.averages });
const trainedOn = run.keep('data', { words: data.words, fingerprint: data.fingerprint });
run.bestBy('accuracy', 'max');
await run.restore(state);
if (trainedOn.fingerprint !== data.fingerprint) {
  const hint = 'Give the same --data, --examples and --test-examples, or start a new session with --new.';
  run.refuse(`the checkpoint was trained on ${trainedOn.words}; these data are others: ${data.words}`, hint);
}
console.log(`Data: ${data.words}`);
const from = run.resumed === null ? 'from the start' : `from step ${run.resumed.step}`;
console.log(`${model.countParams()} weights, ${stepsPerEpoch} steps an epoch, ${backend.name}, ${from}`);

const pace = new Pace(performance.now());
for (const epoch of run.epochs(options.epochs)) {
  pace.begins(performance.now());
  for (const batch of run.batches(training, { size: options.batch, seed: options.seed, drop: true })) {
    const loss = trainOn(batch);
    const perSecond = pace.trained(options.batch, performance.now());
    if (perSecond !== null) run.gauge('images-per-second', perSecond);
    await run.step({ loss });
  }
  const results = evaluated();
  const rate = plan.schedule.rate(run.steps).toPrecision(3);
  console.log(
    `epoch ${epoch + 1}: loss ${run.mean('loss').toFixed(4)}, ${inWords(results)}, learning rate now ${rate}`,
  );
  await run.epochEnd(results);
}
await run.complete();

/** On the test images. `accuracy` is that of the EMA, whose weights an exported best model has. */
function evaluated(): Readonly<Record<string, number>> {
  run.phase('eval');
  const { accuracy } = ema.evaluate(() => examined(test));
  const raw = examined(test);
  const results = { accuracy, 'accuracy-raw': raw.accuracy, 'test-loss': raw.loss };
  if (run.steps < plan.swaStart) return results;
  const averaged = swa.evaluate(() => {
    recomputeBatchNorm(model, inputsOf(training.first(Math.min(training.length, STATISTICS))));
    return examined(test);
  });
  return { ...results, 'accuracy-swa': averaged.accuracy };
}

function inWords(results: Readonly<Record<string, number>>): string {
  return Object.entries(results)
    .map(([name, value]) =>
      name === 'test-loss' ? `${name} ${value.toFixed(4)}` : `${name} ${(value * 100).toFixed(2)} %`,
    )
    .join(', ');
}

/** One update of the weights. */
function trainOn(batch: RecordBatch): number {
  const { pixels, targets } = mixed(
    augmented(batch, normalisation, run.random),
    batch.labels,
    options.mixup,
    run.random,
  );
  dropout.before(run.steps);
  return tf.tidy(() => {
    const inputs = tf.tensor4d(pixels, [batch.labels.length, SIDE, SIDE, CHANNELS]);
    const wanted = tf.tensor2d(targets, [batch.labels.length, CLASSES]);
    const lossOf = () =>
      tf.losses.softmaxCrossEntropy(wanted, model.apply(inputs, { training: true }) as tf.Tensor) as tf.Scalar;
    return optimizer.minimize(lossOf, true, weights)?.dataSync()[0] ?? Number.NaN;
  });
}

/** With the weights that stand in the model now. */
function examined(records: Records): { readonly accuracy: number; readonly loss: number } {
  let right = 0;
  let loss = 0;
  for (const batch of records.inOrder(EVALUATED)) {
    tf.tidy(() => {
      const logits = model.apply(tensorOf(batch)) as tf.Tensor;
      const wanted = tf.oneHot(tf.tensor1d(batch.labels, 'int32'), CLASSES);
      loss += (tf.losses.softmaxCrossEntropy(wanted, logits).dataSync()[0] ?? Number.NaN) * batch.labels.length;
      const guesses = tf.argMax(logits, 1).dataSync();
      right += batch.labels.filter((label, at) => label === guesses[at]).length;
    });
  }
  return { accuracy: right / records.length, loss: loss / records.length };
}

function* inputsOf(records: Records): Generator<tf.Tensor> {
  for (const batch of records.inOrder(EVALUATED)) yield tensorOf(batch);
}

function tensorOf(batch: RecordBatch): tf.Tensor4D {
  return tf.tensor4d(plain(batch, normalisation), [batch.labels.length, SIDE, SIDE, CHANNELS]);
}

function loaded(): ReturnType<typeof loadData> {
  try {
    return loadData(options);
  } catch (error) {
    if (error instanceof Refusal) run.refuse(error.message, error.hint);
    throw error;
  }
}
