/** A supervised run on a machine with (fake) cards. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { FakeSmi } from '../rig/fake-smi.ts';
import { waitFor } from '../rig/wait-for.ts';
import { COMMAND, signalPid, testInWorld } from './rig.ts';

const LIMIT = { timeout: 300_000 };
const CARDS = [{ model: 'rtx3080' }, { model: 'rtx3080', uuid: 'GPU-5e5e5e5e-0000-0000-0000-000000000000' }] as const;

testInWorld.concurrent(
  'a run shows its card, warns when that is lost, and trains on while nvidia-smi is stuck',
  LIMIT,
  async ({ world }) => {
    const fake = await FakeSmi.start({ cards: CARDS });
    const environment = { ...fake.environment, CUDA_VISIBLE_DEVICES: 'GPU-5e' };
    const run = world.start(['run', '--json', ...world.endless()], COMMAND, environment);
    const { cards } = await run.event('progress', ({ cards = [] }) => cards.length > 0);
    expect(cards).toEqual([{ index: 1, temperatureC: 54, utilizationPercent: 87 }]);

    fake.set({ cards: [CARDS[0], { ...CARDS[1], gone: '[GPU is lost]' }] });
    const lost = await run.event('warning', ({ code }) => code.startsWith('gpu-lost:'));
    expect(lost.message).toBe('GPU 1: it is lost: it has fallen off the bus');
    fake.set({ cards: CARDS });
    const back = await run.event('warning-ended', ({ code }) => code.startsWith('gpu-lost:'));
    expect(back.message).toBe('GPU 1: it is back');

    const [stuck = 0] = fake.watching;
    process.kill(stuck, 'SIGSTOP');
    await run.event('warning', ({ code }) => code === 'gpu-watch-stuck');
    const before = run.named('progress').length;
    await waitFor('progress in spite of it', () => run.named('progress').length > before);
    await run.event('warning-ended', ({ code }) => code === 'gpu-watch-stuck');
    await waitFor('the stuck one to be gone', () => !fake.watching.includes(stuck));

    world.enough();
    await run.ended(0);
    await waitFor('its nvidia-smi to be gone', () => fake.watching.length === 0);
    const last = run.named('saved').at(-1)?.path ?? '';
    const manifest = JSON.parse(readFileSync(join(last, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ gpu: 'NVIDIA GeForce RTX 3080', driver: expect.stringMatching(/^\d+\.\d+/) });
  },
);

testInWorld.concurrent(
  'a crash and an emergency save keep what the cards showed, and a stuck nvidia-smi delays neither of them',
  LIMIT,
  async ({ world }) => {
    const scene = {
      cards: [
        {
          model: 'rtx3080',
          curve: {
            'temperature.gpu': [
              [0, 60],
              [600, 95],
            ],
          },
        },
      ],
    } as const;
    const fake = await FakeSmi.start(scene);
    const run = world.start(['run', '--json', ...world.endless()], COMMAND, fake.environment);
    await run.event('progress', ({ cards = [] }) => cards.length > 0);

    // The rows go on, every new question is stuck.
    fake.set({ ...scene, hang: true });
    const { pid } = await run.event('worker-connected');
    signalPid(pid, 'SIGSEGV');
    const crash = await run.event('snapshot-kept', ({ why }) => why === 'crash');
    await run.event('attempt-started', ({ attempt }) => attempt === 2);
    const kept = JSON.parse(readFileSync(crash.path, 'utf8'));
    expect(kept).toMatchObject({ attempt: 1, readings: [{ card: 'GPU-00000000-1111-2222-3333-444444444444' }] });
    expect(kept.reason).toContain('native-crash');
    expect(kept.readings[0].rows.length).toBeGreaterThan(0);
    // Nobody has waited for the answer, which never comes.
    expect(kept).not.toHaveProperty('troubles');

    await run.event('recovered');
    run.signal('SIGINT');
    const save = await run.event('snapshot-kept', ({ why }) => why === 'emergency-save');
    await run.ended(75);
    const shown = (await world.query(['show', 'latest'])) as { snapshots: readonly string[] };
    expect(shown.snapshots).toEqual([crash.path, save.path]);
    expect(shown).toMatchObject({
      gpus: [{ index: 0, secondsPerSample: 1, utilizationPercent: { low: 87, mean: 87, high: 87 } }],
    });
    await waitFor('all of them to be gone', () => fake.living === 0);
  },
);

testInWorld.concurrent('an idle card is called out, once, with the numbers', LIMIT, async ({ world }) => {
  const fake = await FakeSmi.start({ cards: [{ model: 'rtx3080', values: { 'utilization.gpu': '2' } }] });
  const run = world.start(['run', '--json', ...world.endless()], COMMAND, fake.environment);
  const advice = await run.event('advice');
  expect(advice).toMatchObject({ code: 'gpu-idle', phase: 'train', hint: expect.stringContaining('batches') });
  expect(advice.message).toMatch(/^The GPU was used 2 % over 1\d s of training, a step took \d+ ms/);
  const before = run.named('progress').length;
  await run.until(() => run.named('progress').length > before + 3);
  expect(run.named('advice').filter(({ code }) => code === 'gpu-idle')).toHaveLength(1);
  world.enough();
  await run.ended(0);
  await waitFor('its nvidia-smi to be gone', () => fake.living === 0);
});
