/**
 * Program of its own: loads the native backend that `NKAT_BACKEND` names, trains one step of a convolution with it and prints
 * one line of JSON. Whatever goes wrong goes wrong here and not in the command that asks.
 */
import * as tf from '@tensorflow/tfjs-core';
import { chosenBackend } from '../../installed-backend.ts';
import { loadNative, tensorflowVersion } from './native.ts';
import { loadedLibraries, whyNoGpu } from './no-gpu.ts';

const startedMs = performance.now();
const installed = chosenBackend(process.env);
if (installed === null) throw new Error('there is no backend in the folder that NKAT_BACKEND names');
const refusal = await loadNative(installed);
if (refusal !== null) throw new Error(refusal);
await tf.setBackend('tensorflow');
const backend: object = tf.backend();
const device = 'isUsingGpuDevice' in backend && backend.isUsingGpuDevice === true ? 'gpu' : 'cpu';
const loadedMs = performance.now();

const images = tf.randomNormal<tf.Rank.R4>([8, 16, 16, 3], 0, 1, 'float32', 1);
const wanted = tf.randomUniform([8, 14, 14, 4], 0, 1, 'float32', 2);
const kernel = tf.variable(tf.randomNormal<tf.Rank.R4>([3, 3, 3, 4], 0, 0.1, 'float32', 3));
const optimizer = tf.train.sgd(0.05);
const lossOf = (): tf.Scalar => tf.losses.meanSquaredError(wanted, tf.conv2d(images, kernel, 1, 'valid')) as tf.Scalar;
const [before = Number.NaN] = lossOf().dataSync();
optimizer.minimize(lossOf, false, [kernel]);
const [after = Number.NaN] = lossOf().dataSync();
if (!(after < before)) throw new Error(`a step of training took the loss from ${before} to ${after}`);
const trainedMs = performance.now();

const tensorflow = tensorflowVersion() ?? 'unknown';
const why = device === 'gpu' || installed.record.flavour === 'cpu' ? null : whyNoGpu(process.env, loadedLibraries());
console.log(
  JSON.stringify({ device, tensorflow, whyNoGpu: why, loadMs: loadedMs - startedMs, stepMs: trainedMs - loadedMs }),
);
