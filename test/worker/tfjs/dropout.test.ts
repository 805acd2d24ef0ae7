import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, expect, test } from 'vitest';
import { seededDropout } from '../../../src/worker/tfjs/dropout.ts';
import { onBackend } from './network.ts';

beforeEach(async () => {
  await onBackend('cpu');
});

/** One dropout layer at the top, one inside a model of its own. */
function twoDropouts(): tfl.Sequential {
  const inner = tfl.sequential({ layers: [tfl.layers.dropout({ rate: 0.5, inputShape: [64] })] });
  return tfl.sequential({ layers: [tfl.layers.dropout({ rate: 0.5, inputShape: [64] }), inner] });
}

function output(model: tfl.LayersModel): number[] {
  return tf.tidy(() => [...(model.apply(tf.ones([1, 64]), { training: true }) as tf.Tensor).dataSync()]);
}

test('what is dropped depends on seed and step alone, not on what was drawn before', () => {
  const first = twoDropouts();
  const dropout = seededDropout(first, 7);
  const steps = [0, 1, 2, 3].map((step) => {
    dropout.before(step);
    return output(first);
  });
  expect(new Set(steps.map(String)).size).toBe(4);
  // A process that takes up training at step 2.
  const resumed = twoDropouts();
  seededDropout(resumed, 7).before(2);
  expect(output(resumed)).toEqual(steps[2]);
  seededDropout(resumed, 8).before(2);
  expect(output(resumed)).not.toEqual(steps[2]);
});

test('the layers of a model drop different units, and a quarter of all survives both', () => {
  const model = twoDropouts();
  const dropout = seededDropout(model, 1);
  let kept = 0;
  for (let step = 0; step < 100; step++) {
    dropout.before(step);
    kept += output(model).filter((value) => value === 4).length;
  }
  // With one mask for both it were a half.
  expect(kept / 6400).toBeCloseTo(0.25, 1);
});
