/** The CIFAR-10 trainer on TensorFlow's own library: killed at five places it ends with the very state of an undisturbed run. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { testInWorld, type World } from '../process/rig.ts';
import { whereNative } from '../rig/native-backend.ts';

const TRAINER = fileURLToPath(new URL('../../fixtures/trainers/cifar10-killed.mjs', import.meta.url));
const PLAIN = fileURLToPath(new URL('../../trainers/cifar10/train.ts', import.meta.url));
/** 10 steps an epoch: warm-up until step 3, samples of SWA after 30 and 40. */
const SIZES = ['--width', '2', '--examples', '80', '--test-examples', '40', '--batch', '8', '--epochs', '4'];
const CHANCE = ['--mixup', '0.4'];

whereNative('cifar10 on the native backend', ({ folder }) => {
  const start = (world: World, environment: NodeJS.ProcessEnv) => {
    const line = [TRAINER, ...SIZES, ...CHANCE];
    const options = ['--json', '--new', '--save-every', '1h'];
    return world.start(['run', ...options, ...line], undefined, { NKAT_BACKEND: folder, ...environment });
  };

  testInWorld.concurrent(
    'killed in warm-up, in mid-epoch, at the end of an epoch, at the start of SWA and within it',
    async ({ world }) => {
      const undisturbed = start(world, {});
      const places = ['1>2', '11>13', '20>epoch 2:', '30>30', '33>35'];
      const killed = start(world, { KILL_AT: places.join(','), KILL_MARKS: world.directory });
      await undisturbed.ended(0);
      await killed.ended(0);
      const ends = killed.named('worker-ended').map((event) => event.class);
      expect(ends).toEqual([...places.map(() => 'killed'), 'completed']);
      expect(killed.named('training-started').map(({ step }) => step)).toEqual([0, 1, 11, 20, 30, 33]);
      const digests = [undisturbed, killed].map((run) => run.named('session-ended')[0]?.summary.digest);
      expect(digests[1]).toBe(digests[0]);
      expect(killed.outputLines().filter((line) => line.startsWith('epoch 4:'))).toEqual(
        undisturbed.outputLines().filter((line) => line.startsWith('epoch 4:')),
      );

      // On other images none of them goes on.
      const args = [...SIZES.with(3, '88'), ...CHANCE];
      const others = world.start(['resume', '--json', 'latest', '--', ...args], undefined, { NKAT_BACKEND: folder });
      await others.ended(78);
      const words = others.outputLines().join('\n');
      expect(words).toMatch(/the checkpoint was trained on a stand-in.*; 80 training.*are others: .*; 88 training/);
      expect(words).not.toMatch(/^\s+at /m);

      // Nor as another network: in words, and tried once.
      const wider = [...SIZES.with(1, '3'), ...CHANCE];
      const other = world.start(['resume', '--json', 'latest', '--', ...wider], undefined, { NKAT_BACKEND: folder });
      await other.ended(78);
      const told = other.outputLines().join('\n');
      expect(told).toMatch(
        /^nkat-recover: .*Conv2D\/kernel is F32\[3, 3, 3, 2\] instead of F32\[3, 3, 3, 3\].*; and \d+ more/m,
      );
      expect(told).not.toMatch(/^\s+at /m);
      expect(other.named('attempt-started')).toHaveLength(1);
    },
  );

  testInWorld.concurrent('data that are not there are refused with 78, in words', async ({ world }) => {
    const there = join(world.directory, 'cifar');
    mkdirSync(there);
    const run = world.start(['run', '--json', PLAIN, '--data', there], undefined, { NKAT_BACKEND: folder });
    await run.ended(78);
    const words = run.outputLines().join('\n');
    expect(words).toMatch(/^nkat-recover: data_batch_1.bin, .* is missing in .*empty\. Give --data/m);
    expect(words).not.toMatch(/^\s+at /m);
  });
});
