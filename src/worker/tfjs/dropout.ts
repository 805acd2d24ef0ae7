/**
 * Dropout that a resumed run repeats. A tfjs layer with a seed drops the same units in each step, one without draws
 * from Math.random; here each layer has another seed in each step, a pure function of (seed, step, layer), so that
 * nothing of it need be in a checkpoint.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layersOfClass } from './model-layers.ts';

/** Those whose mask tfjs-layers 4.22 draws from the layer's own seed. */
const CLASSES = ['Dropout', 'SpatialDropout1D'];

export interface SeededDropout {
  /** Call it before the update that makes step `stepsDone + 1`: `dropout.before(run.steps)`. */
  before(stepsDone: number): void;
}

/**
 * For all dropout layers of a model. Gaussian and alpha dropout draw from Math.random whatever their seed is: use
 * `run.seedMathRandom()` for those.
 *
 * @param seed any integer; its low 32 bits count
 */
export function seededDropout(model: LayersModel, seed: number): SeededDropout {
  // A field that tfjs declares private; dropout reads it at each call.
  const layers = layersOfClass(model, CLASSES) as unknown as { seed: number }[];
  return {
    before(stepsDone) {
      for (const [index, layer] of layers.entries()) layer.seed = mixed(mixed(seed, stepsDone), index);
    },
  };
}

/** The finaliser of MurmurHash3 over two numbers: near inputs give unlike outputs, 0 to 2^32 - 1. */
function mixed(a: number, b: number): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 1, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
