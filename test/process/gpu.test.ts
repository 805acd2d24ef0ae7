/** A supervised run on a machine with (fake) cards. */
import { expect } from 'vitest';
import { FakeSmi } from '../rig/fake-smi.ts';
import { waitFor } from '../rig/wait-for.ts';
import { COMMAND, testInWorld } from './rig.ts';

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
    await run.event('warning-ended', ({ code }) => code.startsWith('gpu-lost:'));

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
  },
);
