/** kill -9 of a supervisor that is just ending its worker: the next run finishes what it had begun. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Run, signalPid, stuck, testInWorld, type World } from './rig.ts';

const LIMITS = ['--hang-after', '3s', '--phase-limit', '30s'];

function stuckLine(world: World): Run {
  const trainer = stuck(['--how', 'loop', '--at', '8', '--once', join(world.directory, 'once')]);
  return world.run(trainer, LIMITS);
}

testInWorld.concurrent('while a hung worker is being ended', async ({ world }) => {
  const first = stuckLine(world);
  await first.event('hang-detected');
  first.signal('SIGKILL');
  await first.exited;
  const second = stuckLine(world);
  await second.ended(0);
  expect(second.named('session-ended')[0]).toMatchObject({ outcome: 'completed' });
});

testInWorld.concurrent('while it stops', async ({ world }) => {
  const line = (): Run => world.run(world.endless());
  const first = line();
  await first.event('progress', ({ step }) => step >= 5);
  first.signal('SIGINT');
  await first.event('stop-requested');
  first.signal('SIGKILL');
  await first.exited;
  world.enough();
  const second = line();
  await second.ended(0);
  expect(second.named('session-ended')[0]).toMatchObject({ outcome: 'completed' });
  // Perhaps the worker that was left made it, before there was a second supervisor.
  const { checkpoints } = (await world.query(['show', 'latest'])) as { checkpoints: { kinds: string[] }[] };
  expect(checkpoints.flatMap(({ kinds }) => kinds)).toContain('final');
});

testInWorld.concurrent(
  'before the worker, or its end, was written down: its attempt has an end all the same',
  async ({ world }) => {
    const line = (): Run => world.run(world.endless());
    const first = line();
    const { directory } = await first.event('session-opened');
    const { pid } = await first.event('worker-connected');
    await first.event('progress');
    first.signal('SIGKILL');
    await first.exited;
    signalPid(pid, 'SIGKILL');
    await world.until(() => world.processes().length === 0);
    const path = join(directory, 'session.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), worker: null }));
    world.enough();
    await line().ended(0);
    expect(await world.query(['show', 'latest'])).toMatchObject({
      attempts: [{ class: 'vanished', endedAt: expect.any(String) }, { class: 'completed' }],
    });
  },
);
