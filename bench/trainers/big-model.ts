/**
 * A model of `--mib` MiB on the wasm backend. A step is matrix products of about 100 ms and an update of the biases;
 * the large weights lie still, so that what is measured is the save and not the trainer's own memory traffic.
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { tfjsState, useBackend } from 'nkat-recover/tfjs';
import { connect } from 'nkat-recover/worker';

const { values: flags } = parseArgs({
  options: {
    mib: { type: 'string', default: '512' },
    steps: { type: 'string', default: '100' },
    /** A periodic save at each so many steps is measured apart; 0: none is expected. */
    every: { type: 'string', default: '0' },
    /** Matrix products of a step; 0: as many as take 100 ms. Two processes are comparable only with the same number. */
    repeats: { type: 'string', default: '0' },
    /** `steps` trains; `emergency` makes that many emergency saves instead, one for each line of input. */
    mode: { type: 'string', default: 'steps' },
  },
});
const MIB = 1024 * 1024;
const parts = 8;
const megabytes = Number(flags.mib);
const steps = Number(flags.steps);
const every = Number(flags.every);

const run = await connect();
await useBackend({ only: 'wasm' });
const weights = Array.from({ length: parts }, (_, index) =>
  tf.variable(tf.fill([megabytes / parts, MIB / 4], index + 0.5)),
);
const bias = tf.variable(tf.zeros([1024]));
await run.restore(tfjsState({ model: { weights, bias } }));

const left = tf.randomUniform([512, 512], -1, 1, 'float32', 1);
let repeats = 1;
const work = (): void => {
  tf.tidy(() => {
    let product = left;
    for (let i = 0; i < repeats; i++) product = tf.mul(tf.matMul(product, left), 0.01);
    bias.assign(tf.add(bias, 1e-3));
    product.dataSync();
  });
};
for (let warm = 0; warm < 5; warm++) work();
const single = Array.from({ length: 5 }, () => timed(work)).sort((a, b) => a - b)[2] ?? 1;
repeats = Number(flags.repeats) || Math.max(1, Math.round(100 / single));

/** Warm memory to warm memory, as large as the model: the reference of its save. */
const source = new Uint8Array(megabytes * MIB).fill(1);
const target = new Uint8Array(megabytes * MIB).fill(2);
const copyMs = (): number => timed(() => target.set(source));

function timed(what: () => void): number {
  const startedAt = performance.now();
  what();
  return performance.now() - startedAt;
}

if (flags.mode === 'emergency') {
  for (let made = 0; made < steps; made++) {
    work();
    await run.step({ loss: 1 });
    const startedAt = performance.now();
    const outcome = await run.save({ kind: 'emergency' });
    console.log(`durable ${JSON.stringify({ ms: performance.now() - startedAt, status: outcome.status })}`);
    await new Promise<void>((resolve) => process.stdin.once('data', () => resolve()));
  }
} else {
  console.log(`begin ${Date.now()}`);
  const stalls: number[] = [];
  const startedAt = performance.now();
  for (let step = 1; step <= steps; step++) {
    work();
    const at = performance.now();
    await run.step({ loss: 1 });
    stalls.push(performance.now() - at);
    if (every > 0 && step % every === every - 1) {
      // All stalls since the last save's begin belong to that save; the one that begins it is the next step.
      console.log(`save ${JSON.stringify({ stalls: stalls.splice(0), copyMs: [copyMs(), copyMs(), copyMs()] })}`);
    }
  }
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `speed ${JSON.stringify({ perSecond: steps / seconds, repeats, peakMiB: process.resourceUsage().maxRSS / 1024 })}`,
  );
}
await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
process.exit(0);
