/**
 * A program: loads one backend, multiplies two matrices on it and prints one line of JSON. `node probe-backend.js <name>`. It is started
 * in a child by `doctor`: a GPU driver that hangs must not hang who asks.
 */
import * as tf from '@tensorflow/tfjs-core';
import { NkatError } from '../../errors.ts';
import { BACKENDS, useBackend } from './backend.ts';

/** The products are whole numbers below 2^24, which float32 holds exactly, in whatever order they are summed. */
const SIDE = 256;
const LARGEST = 7;

async function probe(word: string): Promise<object> {
  const name = BACKENDS.find((each) => each === word);
  if (name === undefined) return { kind: 'failed', name: word, reason: 'there is no backend of that name' };
  try {
    const choice = await useBackend({ only: name });
    multiply();
    const beganMs = performance.now();
    const isRight = multiply();
    const productMs = performance.now() - beganMs;
    return isRight
      ? { kind: 'works', name: choice.name, device: choice.device, productMs, whyNoGpu: choice.whyNoGpu }
      : { kind: 'wrong', name };
  } catch (error) {
    if (!(error instanceof NkatError)) throw error;
    const reason = /\(\S+: (.*)\)$/.exec(error.message)?.[1] ?? error.message;
    return reason === 'not installed' ? { kind: 'not-installed', name } : { kind: 'failed', name, reason };
  }
}

/** Whether the corner elements are what they must be. */
function multiply(): boolean {
  const cells = Float32Array.from({ length: SIDE * SIDE }, (_, at) => at % LARGEST);
  const product = tf.tidy(() => {
    const matrix = tf.tensor2d(cells, [SIDE, SIDE]);
    return tf.matMul(matrix, matrix).dataSync();
  });
  return [0, SIDE - 1, SIDE * (SIDE - 1), SIDE * SIDE - 1].every((at) => product[at] === expected(cells, at));
}

function expected(cells: Float32Array, at: number): number {
  const row = Math.floor(at / SIDE);
  let sum = 0;
  for (let inner = 0; inner < SIDE; inner += 1) {
    sum += (cells[row * SIDE + inner] ?? 0) * (cells[inner * SIDE + (at % SIDE)] ?? 0);
  }
  return sum;
}

process.stdout.write(`${JSON.stringify(await probe(process.argv[2] ?? ''))}\n`);
