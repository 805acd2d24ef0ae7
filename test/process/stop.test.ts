/** The stop protocol on real processes. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { counter, type Run, stuck, testInWorld, type World } from './rig.ts';

async function training(world: World): Promise<Run> {
  const run = world.run(world.endless());
  await run.event('progress', ({ step }) => step >= 3);
  return run;
}

testInWorld.for(['SIGINT', 'SIGTERM', 'SIGUSR2'] as const)(
  'one %s: an emergency save, exit 75',
  async (signal, { world }) => {
    const run = await training(world);
    run.signal(signal);
    await run.ended(75);
    const saved = run.named('saved').at(-1);
    expect(saved).toMatchObject({ kinds: ['emergency'], reason: signal });
    expect(run.named('session-ended')[0]).toMatchObject({ outcome: 'stopped-saved' });
  },
);

testInWorld('the same line again goes on at the next step, to its end', async ({ world }) => {
  const run = await training(world);
  run.signal('SIGINT');
  await run.ended(75);
  const step = run.named('saved').at(-1)?.step ?? -1;
  const again = world.run(world.endless());
  expect((await again.event('training-started')).step).toBe(step);
  expect((await again.event('session-opened')).session).toBe(run.named('session-opened')[0]?.session);
  world.enough();
  await again.ended(0);
  expect(again.named('checkpoint-chosen')[0]).toMatchObject({ step, stepsLost: 0 });
});

testInWorld('two signals within a second count once: npx delivers a Ctrl-C twice', async ({ world }) => {
  const run = await training(world);
  run.signal('SIGINT');
  run.signal('SIGINT');
  await run.ended(75);
  expect(run.named('stop-requested').map(({ stage }) => stage)).toEqual(['saving']);
});

testInWorld('a second Ctrl-C sends SIGTERM, a third kills the group', async ({ world }) => {
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

testInWorld('SIGTERM without a confirmed save is 143', async ({ world }) => {
  const run = world.run(counter(['--block-ms', '60000', '--epochs', '1']), ['--grace', '1s']);
  await run.event('training-started');
  run.signal('SIGTERM');
  await run.ended(143);
});

testInWorld('SIGHUP without a terminal is ignored, as nohup promises', async ({ world }) => {
  const run = await training(world);
  run.signal('SIGHUP');
  const seen = run.named('progress').at(-1)?.step ?? 0;
  await run.event('progress', ({ step }) => step > seen + 20);
  world.enough();
  await run.ended(0);
  expect(run.named('stop-requested')).toEqual([]);
});

testInWorld('a stop during the back-off ends at once', async ({ world }) => {
  const run = world.run(world.endless(['--throw-at-step', '5']), ['--backoff', '10m']);
  await run.event('restart-planned', ({ delayMs }) => delayMs > 0);
  run.signal('SIGINT');
  await run.ended(130);
});

testInWorld(
  'a stopped worker is woken at the first Ctrl-C and saves, instead of waiting for its grace',
  async ({ world }) => {
    const run = world.run(stuck(['--how', 'stop', '--at', '8', '--once', join(world.directory, 'once')]), [
      '--grace',
      '10m',
    ]);
    await run.event('output', ({ line }) => line === 'stuck at 8');
    run.signal('SIGINT');
    await run.ended(75);
    expect(run.named('saved').at(-1)).toMatchObject({ kinds: ['emergency'], reason: 'SIGINT' });
  },
);
