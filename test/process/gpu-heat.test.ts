/** A supervised run on a (fake) card that gets hot. */
import { expect } from 'vitest';
import { FakeSmi } from '../rig/fake-smi.ts';
import { COMMAND, signalPid, testInWorld } from './rig.ts';

const LIMIT = { timeout: 300_000 };

testInWorld.concurrent(
  'a card that gets hot: slowed down, saved, held until it is cool, stopped when it still rises, taken up when it is cool',
  LIMIT,
  async ({ world }) => {
    // It says that it computes on the CPU, but the driver lists it.
    let pid = 0;
    const show = (values: Readonly<Record<string, string>>) => ({
      cards: [{ model: 'rtx3080', values, processes: [{ pid, name: 'node', mib: 700 }] }],
    });
    const at = (degrees: number) => show({ 'temperature.gpu': String(degrees) });
    const fake = await FakeSmi.start(at(70));
    const options = ['--json', '--gpu-profile', 'rtx3080', '--save-every', 'off'];
    const run = world.start(
      ['run', ...options, ...world.endless(), '--backend', 'tfjs-wasm'],
      COMMAND,
      fake.environment,
    );
    pid = (await run.event('worker-connected')).pid;
    await run.event('progress', ({ cards = [], step }) => cards.length > 0 && step > 20);

    fake.set(show({ 'memory.used': '9900', 'temperature.gpu': '70' }));
    await run.event('notice', ({ message }) => message.startsWith('The trainer was asked to free memory'));

    fake.set(at(82));
    expect(await run.event('gpu-acted', ({ action }) => action === 'slowed')).toMatchObject({
      action: 'slowed',
      card: 'GPU 0',
      reason: 'GPU 0: 82 C > 80 C',
    });
    fake.set(at(84));
    expect(await run.event('warning', ({ code }) => code.startsWith('gpu-hot:'))).toMatchObject({
      message: 'GPU 0 is hot: 84 C > 83 C',
    });
    await run.event('saved', ({ kinds, reason }) => kinds.join() === 'gpu' && reason === 'GPU 0 is hot: 84 C > 83 C');

    fake.set(at(86));
    await run.event('gpu-acted', ({ action }) => action === 'held');
    await run.event(
      'saved',
      ({ kinds, reason }) => kinds.includes('emergency') && reason === 'GPU 0 is too hot: 86 C > 85 C',
    );
    const { step: heldAt } = await run.event(
      'progress',
      ({ waiting, throttle }) => waiting === 'heat' && throttle === 1,
    );
    await run.event('progress', ({ throttle, step }) => throttle === 1 && step === heldAt, 3);
    fake.set(at(74));
    await run.event('gpu-acted', ({ action, share }) => action === 'slowed' && share === 0.5);
    await run.event('progress', ({ step }) => step > heldAt + 5);

    fake.set(at(86));
    await run.event('gpu-acted', ({ action }) => action === 'held', 2);
    fake.set(at(92));
    await run.event('gpu-acted', ({ action }) => action === 'stopped');
    const ended = await run.event('worker-ended');
    expect(ended).toMatchObject({ class: 'overheated', code: 75 });
    await run.event('gpu-acted', ({ action }) => action === 'awaited');
    fake.set(at(73));
    await run.event('gpu-acted', ({ action }) => action === 'went-on');
    const again = await run.event('training-started', ({ attempt }) => attempt === 2);
    expect(again.step).toBe(ended.lastStep);
    await run.event('progress', ({ step }) => step > again.step);
    world.enough();
    await run.ended(0);
    expect(run.named('hang-detected')).toEqual([]);
  },
);

testInWorld.concurrent(
  'a card that the worker does not use: told that it is hot and lost, and nothing is done to the worker for its sake',
  LIMIT,
  async ({ world }) => {
    const at = (degrees: number) => ({ cards: [{ model: 'rtx3080', values: { 'temperature.gpu': String(degrees) } }] });
    const fake = await FakeSmi.start(at(70));
    const options = ['--json', '--gpu-profile', 'rtx3080', '--save-every', 'off'];
    const trainer = [...world.endless(), '--backend', 'tfjs-wasm'];
    const run = world.start(['run', ...options, ...trainer], COMMAND, fake.environment);
    await run.event('progress', ({ cards = [], step }) => cards.length > 0 && step > 5);
    fake.set(at(93));
    await run.event('warning', ({ code }) => code.startsWith('gpu-hot:'));
    // Above the emergency limit for several rows, and it trains on at full pace.
    const heard = run.named('progress').length;
    await run.until(() => run.named('progress').length > heard + 6);
    expect(run.named('gpu-acted')).toEqual([]);
    expect(run.named('progress').filter(({ throttle }) => throttle !== undefined)).toEqual([]);

    fake.set({ cards: [{ model: 'rtx3080', gone: '[GPU is lost]' }] });
    await run.event('warning', ({ code }) => code.startsWith('gpu-lost:'));
    signalPid((await run.event('worker-connected')).pid, 'SIGABRT');
    expect(await run.event('worker-ended')).toMatchObject({ class: 'native-crash' });
    await run.event('recovered');
    world.enough();
    await run.ended(0);
  },
);
