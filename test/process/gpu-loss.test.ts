/** A supervised run whose (fake) card is lost, or full. */
import { expect } from 'vitest';
import { FakeSmi } from '../rig/fake-smi.ts';
import { COMMAND, counter, signalPid, testInWorld } from './rig.ts';

const LIMIT = { timeout: 300_000 };
const HEALTHY = { cards: [{ model: 'rtx3080' }] };
const LOST = { cards: [{ model: 'rtx3080', gone: '[GPU is lost]' }] };

testInWorld.concurrent(
  'a worker that dies with its card is not launched again: exit code 69 and what to do; with --wait-for-gpu it goes on when the card is healthy',
  LIMIT,
  async ({ world }) => {
    const fake = await FakeSmi.start(HEALTHY);
    const run = world.start(['run', '--json', ...world.endless()], COMMAND, fake.environment);
    await run.event('progress', ({ cards = [], step }) => cards.length > 0 && step > 5);
    fake.set(LOST);
    await run.event('warning', ({ code }) => code.startsWith('gpu-lost:'));
    signalPid((await run.event('worker-connected')).pid, 'SIGABRT');
    await run.ended(69);
    expect(run.named('worker-ended')).toMatchObject([
      {
        class: 'gpu-lost',
        reason: 'GPU 0: it is lost: it has fallen off the bus',
        hint: expect.stringContaining('Reboot'),
      },
    ]);
    expect(run.named('attempt-started').length).toBe(1);
    expect(await world.query(['show', 'latest'])).toMatchObject({ session: { state: 'gpu-lost' } });

    const again = world.start(['resume', 'latest', '--json', '--wait-for-gpu'], COMMAND, fake.environment);
    await again.event('warning', ({ code }) => code.startsWith('gpu-lost:'));
    signalPid((await again.event('worker-connected')).pid, 'SIGABRT');
    await again.event('gpu-acted', ({ action }) => action === 'awaited');
    fake.set(HEALTHY);
    await again.event('gpu-acted', ({ action }) => action === 'went-on');
    const { step } = await again.event('training-started', ({ attempt }) => attempt === 3);
    await again.event('progress', (event) => event.step > step);
    world.enough();
    await again.ended(0);
  },
);

testInWorld.concurrent(
  'a worker that ran out of GPU memory comes back with half the batch, in the middle of its epoch, when the memory is free',
  LIMIT,
  async ({ world }) => {
    const card = (mib: number) => ({ cards: [{ model: 'rtx3080', values: { 'memory.used': String(mib) } }] });
    const fake = await FakeSmi.start(card(900));
    // 20 steps of 16 samples are an epoch; at the 26th the card is full, and what is left of it comes in twice as many batches of 8.
    const trainer = ['--epochs', '3', '--save-each', '5', '--oom-from', '26', '--oom-above', '8', '--adapts-batch'];
    const pace = ['--hold-at', '26', '--hold', `${world.directory}/full`];
    const options = ['--json', '--save-every', 'off'];
    const run = world.start(['run', ...options, ...counter([...trainer, ...pace])], COMMAND, fake.environment);
    await run.event('progress', ({ cards = [] }) => cards.length > 0);
    fake.set(card(9_800));
    await run.until(() => run.named('saved').some(({ step }) => step === 25));
    await run.event('warning', ({ code }) => code.startsWith('gpu-memory:'));
    await run.event('gpu-acted', ({ action }) => action === 'released');
    world.touch('full');
    const ended = await run.event('worker-ended');
    expect(ended).toMatchObject({ class: 'gpu-oom', reason: expect.stringContaining('OOM when allocating tensor') });
    // It adapts by itself: nobody has to be told of smaller batches.
    expect(ended.hint ?? null).toBeNull();
    await run.event(
      'gpu-acted',
      ({ action, reason }) => action === 'awaited' && reason.includes('from here on batches have 0.5 of their size: '),
    );
    expect(run.named('attempt-started').length).toBe(1);
    fake.set(card(950));
    await run.event('gpu-acted', ({ action }) => action === 'went-on');
    await run.ended(0);
    // 20 + 5, then 15 x 2, then 20 x 2.
    expect(run.named('session-ended')[0]?.summary.lastCheckpoint?.step).toBe(95);
    expect(run.named('attempt-started').length).toBe(2);
  },
);
