/** A tfjs trainer that forgets its tensors, and one that does not. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { COMMAND, testInWorld } from './rig.ts';

const LIMIT = { timeout: 300_000 };
const NETWORK = join(import.meta.dirname, '../../fixtures/trainers/network.mjs');
const OPTIONS = ['run', '--json', '--save-every-steps', '50', '--new'];

testInWorld.concurrent(
  'is told once that it leaks, how much at each step, and when the memory is full; the same run without a leak is not',
  LIMIT,
  async ({ world }) => {
    // 40 steps in an epoch; saves come and go meanwhile, whose copies are no leak.
    const trainer = [NETWORK, '--epochs', '100000', '--length', '640', '--step-ms', '10'];
    const tight = world.start([...OPTIONS, '--name', 'tight', ...trainer], COMMAND);
    const leaking = world.start([...OPTIONS, '--name', 'leaking', ...trainer, '--leak', '2'], COMMAND);
    const told = await leaking.event('warning', ({ code }) => code === 'tensor-leak');
    expect(told.message).toMatch(
      /^tfjs leaks memory: 2 tensor\(s\) and 2.0 kB more with each step over \d+ steps, .*is full in \d+ steps/,
    );
    expect(told.hint).toContain('tf.tidy');
    // As long as it took to find the leak, twice.
    const samples = leaking.named('progress').filter(({ memory }) => memory != null).length;
    await tight.until(() => tight.named('progress').filter(({ memory }) => memory != null).length > samples);
    expect(tight.named('warning').filter(({ code }) => code === 'tensor-leak')).toEqual([]);
    const heard = leaking.named('progress').length;
    await leaking.until(() => leaking.named('progress').length > heard + 6);
    expect(leaking.named('warning').filter(({ code }) => code === 'tensor-leak')).toHaveLength(1);
    for (const run of [tight, leaking]) run.signal('SIGINT');
    await Promise.all([tight.ended(75), leaking.ended(75)]);
  },
);
