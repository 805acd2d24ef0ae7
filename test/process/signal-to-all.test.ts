/** SIGTERM to the whole process group of the supervisor, as a shell or the owner of a job sends it. */
import { expect } from 'vitest';
import { counter, signalPid, testInWorld } from './rig.ts';

const LINE = ['run', '--json', '--save-every', 'off'];
const TRAINER = counter(['--epochs', '1', '--steps-per-epoch', '2000', '--step-ms', '20']);

testInWorld('SIGTERM to the process group: the worker has one of its own, and saves in peace', async ({ world }) => {
  const first = world.startUnder(['setsid'], [...LINE, ...TRAINER], {});
  await first.event('progress');
  process.kill(-first.pid, 'SIGTERM');
  await first.ended(75);
  const step = first.named('saved').at(-1)?.step;
  const again = world.start([...LINE, ...TRAINER]);
  expect((await again.event('training-started')).step).toBe(step);
  again.signal('SIGTERM');
  await again.ended(75);
});

testInWorld(
  'SIGTERM to every process, as a shutdown sends it: the last step is saved, and confirmed',
  async ({ world }) => {
    const first = world.start([...LINE, ...TRAINER]);
    await first.event('progress', ({ step }) => step > 5);
    for (const pid of world.processes()) signalPid(pid, 'SIGTERM');
    await first.ended(75);
    const again = world.start([...LINE, ...TRAINER]);
    expect((await again.event('training-started')).step).toBe(first.named('saved').at(-1)?.step);
    again.signal('SIGTERM');
    await again.ended(75);
  },
);
