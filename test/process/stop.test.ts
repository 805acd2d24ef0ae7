/** The stop protocol on real processes. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counter, type Run, stuck, World } from './rig.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const LINE = ['--epochs', '4', '--steps-per-epoch', '30', '--step-ms', '15'];

async function training(line: readonly string[] = LINE, options: readonly string[] = []): Promise<Run> {
  const run = world.run(counter(line), options);
  await run.event('progress', ({ step }) => step >= 3);
  return run;
}

test.each(['SIGINT', 'SIGTERM', 'SIGUSR2'] as const)('one %s: an emergency save, exit 75', async (signal) => {
  const run = await training();
  run.signal(signal);
  await run.ended(75);
  const saved = run.named('saved').at(-1);
  expect(saved).toMatchObject({ kinds: ['emergency'], reason: signal });
  expect(run.named('session-ended')[0]).toMatchObject({ outcome: 'stopped-saved' });
});

test('the same line again goes on at the next step, and ends where an undisturbed run ends', async () => {
  const run = await training();
  run.signal('SIGINT');
  await run.ended(75);
  const step = run.named('saved').at(-1)?.step ?? -1;
  const again = world.run(counter(LINE));
  expect((await again.event('training-started')).step).toBe(step);
  expect((await again.event('session-opened')).session).toBe(run.named('session-opened')[0]?.session);
  await again.ended(0);
  expect(again.named('checkpoint-chosen')[0]).toMatchObject({ step, stepsLost: 0 });
});

test('two signals within a second count once: npx delivers a Ctrl-C twice', async () => {
  const run = await training();
  run.signal('SIGINT');
  run.signal('SIGINT');
  await run.ended(75);
  expect(run.named('stop-requested').map(({ stage }) => stage)).toEqual(['saving']);
});

test('a second Ctrl-C sends SIGTERM, a third kills the group', async () => {
  // A step of a minute: the emergency save cannot come, and SIGTERM is not seen by a blocked event loop.
  const run = world.run(counter(['--block-ms', '60000', '--epochs', '1']));
  await run.event('training-started');
  await run.event('progress');
  run.signal('SIGINT');
  await run.event('stop-requested', ({ stage }) => stage === 'saving');
  await run.quiet(1_100);
  run.signal('SIGINT');
  await run.event('stop-requested', ({ stage }) => stage === 'terminating');
  await run.quiet(1_100);
  run.signal('SIGINT');
  await run.event('stop-requested', ({ stage }) => stage === 'killing');
  await run.ended(130);
  expect(run.named('session-ended')[0]).toMatchObject({ outcome: 'stopped-unsaved' });
});

test('SIGTERM without a confirmed save is 143', async () => {
  const run = world.run(counter(['--block-ms', '60000', '--epochs', '1']), ['--grace', '1s']);
  await run.event('training-started');
  run.signal('SIGTERM');
  await run.ended(143);
});

test('SIGHUP without a terminal is ignored, as nohup promises', async () => {
  const run = await training();
  run.signal('SIGHUP');
  await run.ended(0);
  expect(run.named('stop-requested')).toEqual([]);
});

test('a stop during the back-off ends at once', async () => {
  const run = world.run(counter([...LINE, '--throw-at-step', '5']));
  await run.event('restart-planned', ({ delayMs }) => delayMs > 0);
  run.signal('SIGINT');
  await run.ended(130);
});

test('a stopped worker is woken at the first Ctrl-C and saves, instead of waiting for its grace', async () => {
  const run = world.run(stuck(['--how', 'stop', '--at', '8', '--once', join(world.directory, 'once')]), [
    '--grace',
    '10m',
  ]);
  await run.event('output', ({ line }) => line === 'stuck at 8');
  run.signal('SIGINT');
  await run.ended(75);
  expect(run.named('saved').at(-1)).toMatchObject({ kinds: ['emergency'], reason: 'SIGINT' });
});
