/** What cannot be trained is refused at once with 78, in words, without a stack and without a second try. */
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Run, testInWorld as test, type World } from '../../process/rig.ts';

const TRAINER = fileURLToPath(new URL('../../../trainers/cifar10/train.ts', import.meta.url));

async function refused(world: World, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const run: Run = world.start(['run', '--json', TRAINER, ...args], undefined, { NKAT_BACKEND: 'off', ...environment });
  await run.ended(78);
  expect(run.named('worker-ended')).toMatchObject([{ class: 'config' }]);
  const words = run.outputLines().join('\n');
  expect(words).not.toMatch(/^\s+at /m);
  return words;
}

test.concurrent('without the native backend', async ({ world }) => {
  const words = await refused(world, ['--epochs', '1']);
  expect(words).toContain('nkat-recover: this network needs the native backend: nkat-recover backend install (');
  expect(words).toContain("wasm: it is not TensorFlow's own library; cpu: it is not TensorFlow's own library");
});

test.concurrent('options that make no sense', async ({ world }) => {
  expect(await refused(world, ['--epoch', '3'])).toMatch(/^Unknown option '--epoch'\. Options: --data DIR/m);
});
