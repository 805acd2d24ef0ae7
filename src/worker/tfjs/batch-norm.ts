/** Batch-normalization statistics for weights that were never trained on: an average's. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { NkatError } from '../../errors.ts';
import { layersOfClass } from './model-layers.ts';

/** Fields that tfjs declares private; both are read at each call of the layer. */
interface BatchNormInternals {
  momentum: number;
}
interface DropoutInternals {
  rate: number;
}

/**
 * Replaces the moving mean and variance of all batch-normalization layers by those of these inputs, each batch counting
 * by its samples: the mean of weights has not the mean of their statistics. Call it inside `average.evaluate()`, which puts
 * the statistics in training back afterwards. Nothing is dropped meanwhile, so it draws no random number and gives the
 * same on every call.
 *
 * @param batches inputs of the model, some thousand samples of the training data; disposed of here
 * @throws NkatError 'usage' without a batch
 */
export function recomputeBatchNorm(model: LayersModel, batches: Iterable<tf.Tensor>): void {
  const norms = layersOfClass(model, ['BatchNormalization']);
  const inner = norms as unknown as BatchNormInternals[];
  const dropouts = layersOfClass(model, ['Dropout', 'SpatialDropout1D']) as unknown as DropoutInternals[];
  const momenta = inner.map(({ momentum }) => momentum);
  const rates = dropouts.map(({ rate }) => rate);
  for (const dropout of dropouts) dropout.rate = 0;
  for (const layer of norms) clear(layer);
  let seen = 0;
  try {
    for (const batch of batches) {
      // new = old * momentum + value * (1 - momentum): the mean of all so far.
      const samples = batch.shape[0] ?? 1;
      for (const layer of inner) layer.momentum = seen / (seen + samples);
      tf.tidy(() => void model.apply(batch, { training: true }));
      batch.dispose();
      seen += samples;
    }
  } finally {
    for (const [index, layer] of inner.entries()) layer.momentum = momenta[index] ?? layer.momentum;
    for (const [index, dropout] of dropouts.entries()) dropout.rate = rates[index] ?? dropout.rate;
  }
  if (seen > 0 || norms.length === 0) return;
  throw new NkatError('batch-normalization statistics need a batch at least', {
    code: 'usage',
    operation: 'recompute the statistics',
  });
}

/** From 0 the first batch takes the place of what stood there, without a rounding. */
function clear(layer: layers.Layer): void {
  for (const weight of layer.nonTrainableWeights) {
    const variable = weight.read() as tf.Variable;
    tf.tidy(() => variable.assign(tf.zerosLike(variable)));
  }
}
