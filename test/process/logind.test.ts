/** A machine that is about to sleep or to shut down waits for a save, and no longer; nobody is left who holds it up. */
import { expect } from 'vitest';
import { FakeLogind, whereLogindCanBe } from '../rig/fake-logind.ts';
import { COMMAND, counter, type Run, testInWorld, type World } from './rig.ts';

/** Saves nothing by itself, and steps so slowly that a lock that does not wait for the save is let go of long before it. */
const LINE = ['run', '--json', '--name', 'night', '--save-every', '1h'];
const TRAINER = counter(['--epochs', '1', '--steps-per-epoch', '10000', '--step-ms', '400']);

function testWithLogind(
  name: string,
  work: (world: World, logind: FakeLogind) => Promise<void>,
  ...words: 'refuse'[]
): void {
  whereLogindCanBe(name, () => {
    testInWorld.concurrent(name, async ({ world }) => {
      const logind = await FakeLogind.start(world.directory, ...words);
      try {
        await work(world, logind);
      } finally {
        await logind.close();
      }
    });
  });
}

async function training(world: World, { environment }: FakeLogind): Promise<Run> {
  const run = world.start([...LINE, ...TRAINER], COMMAND, environment);
  await run.event('progress');
  return run;
}

async function stopped(run: Run): Promise<void> {
  run.signal('SIGINT');
  await run.ended(75);
}

testWithLogind('before a sleep it saves, then the machine may sleep; awake it is held again', async (world, logind) => {
  const run = await training(world, logind);
  expect((await logind.until('held')).lock).toEqual([
    'shutdown:sleep',
    'nkat-recover',
    'saves the training first',
    'delay',
  ]);
  for (const time of [1, 2]) {
    logind.announce('PrepareForSleep', true);
    await run.event('machine-going', ({ going }) => going === 'sleep', time);
    const { at = 0 } = await logind.until('released', time);
    const saved = await run.event('saved', ({ kinds }) => kinds.join() === 'emergency,sleep', time);
    expect(at * 1_000 + 1).toBeGreaterThan(Date.parse((saved as unknown as { at: string }).at));
    logind.announce('PrepareForSleep', false);
    await run.event('machine-woke', () => true, time);
    await logind.until('held', time + 1);
    await run.event('progress', ({ step }) => step > saved.step);
  }
  expect(run.named('worker-ended')).toEqual([]);
  await stopped(run);
  await logind.until('released', 3);
  expect(world.processes()).toEqual([]);
});

testWithLogind(
  'before a shutdown too; the SIGTERM that follows is its, so that the session comes back',
  async (world, logind) => {
    const run = await training(world, logind);
    await logind.until('held');
    logind.announce('PrepareForShutdown', true);
    await run.event('saved', ({ kinds }) => kinds.includes('shutdown'));
    await logind.until('released');
    expect(run.named('stop-requested')).toEqual([]);
    run.signal('SIGTERM');
    await run.ended(75);
    const plan = (await world.query(['recover', '--dry-run'])) as { sessions: { sessionName: string }[] };
    expect(plan.sessions.map(({ sessionName }) => sessionName)).toEqual(['night']);
  },
);

testWithLogind('one that was called off is none: what a person stops then stays stopped', async (world, logind) => {
  const run = await training(world, logind);
  await logind.until('held');
  logind.announce('PrepareForShutdown', true);
  await logind.until('released');
  logind.announce('PrepareForShutdown', false);
  await logind.until('held', 2);
  run.signal('SIGTERM');
  await run.ended(75);
  expect(await world.query(['recover', '--dry-run'])).toMatchObject({ sessions: [] });
});

testWithLogind('a supervisor that is killed leaves nobody who holds the machine up', async (world, logind) => {
  const run = await training(world, logind);
  await logind.until('held');
  run.signal('SIGKILL');
  await run.exited;
  await logind.until('released');
  // The worker and its launcher train on; systemd-inhibit and what it ran are gone.
  await world.until(() => world.processes().length === 2);
  await world.cutPower();
});

testWithLogind('a bus that is lost and comes back is held again, and saves are made again', async (world, logind) => {
  const run = await training(world, logind);
  await logind.until('held');
  logind.announce('PrepareForSleep', true);
  await logind.until('released');
  await logind.close();
  await run.event('notice', ({ message }) => message.includes('nothing is heard of logind any more'));
  const back = await FakeLogind.start(world.directory);
  try {
    await run.event('notice', ({ message }) => message === 'logind is heard again');
    await back.until('held');
    // The sleep that was announced before is over, though nobody told.
    back.announce('PrepareForSleep', true);
    await run.event('machine-going', () => true, 2);
    await run.event('saved', ({ kinds }) => kinds.includes('sleep'), 2);
    await back.until('released');
    await stopped(run);
  } finally {
    await back.close();
  }
});

testWithLogind(
  'where no lock is granted that is said once, and it saves all the same',
  async (world, logind) => {
    const run = await training(world, logind);
    await run.event(
      'notice',
      ({ message }) => message.includes('no delay lock of logind') && message.includes('Access denied'),
    );
    logind.announce('PrepareForSleep', true);
    await run.event('saved', ({ kinds }) => kinds.includes('sleep'));
    await stopped(run);
    expect(run.named('notice').filter(({ message }) => message.includes('logind')).length).toBe(1);
  },
  'refuse',
);

testWithLogind('a worker that cannot be asked holds nobody up', async (world, logind) => {
  const run = world.start([...LINE, '--', 'sleep', '1000'], COMMAND, logind.environment);
  await run.event('attempt-started');
  await logind.until('held');
  logind.announce('PrepareForSleep', true);
  await logind.until('released');
  run.signal('SIGINT');
  await run.ended(130);
});

const NOBODY = 'a bus without logind: nothing is said, and nobody asks again';
whereLogindCanBe(NOBODY, () => {
  testInWorld.concurrent(NOBODY, async ({ world }) => {
    const bus = await FakeLogind.startBus(world.directory);
    try {
      const run = await training(world, bus);
      await stopped(run);
      expect(run.named('notice')).toEqual([]);
    } finally {
      await bus.close();
    }
  });
});
