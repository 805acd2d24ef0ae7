import { expect, it } from 'vitest';
import { askSmi } from '../../src/gpu/smi-ask.ts';
import { smiCommand } from '../../src/gpu/smi-command.ts';
import { FakeSmi } from '../rig/fake-smi.ts';
import { waitFor } from '../rig/wait-for.ts';

const CARDS = [{ model: 'rtx3080' }];
const LIMITS = { timeoutMs: 100_000, maxBytes: 1_000_000 };

it.concurrent('gives up a question that is not answered in time, and leaves nothing behind', async () => {
  const fake = await FakeSmi.start({ cards: CARDS, hang: true });
  const answer = await askSmi(fake.command, ['-q', '-x'], { ...LIMITS, timeoutMs: 1_500 });
  expect(answer).toMatchObject({ kind: 'trouble', trouble: { kind: 'stuck' } });
  await waitFor('it to be gone', () => fake.living === 0);
});

it.concurrent('takes no answer that is too long', async () => {
  const fake = await FakeSmi.start({ cards: CARDS });
  const answer = await askSmi(fake.command, ['-q', '-x'], { ...LIMITS, maxBytes: 500 });
  expect(answer).toMatchObject({ kind: 'trouble', trouble: { words: expect.stringContaining('more than 500 bytes') } });
});

it.concurrent('has the last words of a failure, from either stream', async () => {
  for (const stream of ['stdout', 'stderr'] as const) {
    const fake = await FakeSmi.start({ cards: CARDS, exit: { code: 15, text: 'GPU is lost', stream } });
    const answer = await askSmi(fake.command, ['-L'], LIMITS);
    expect(answer).toMatchObject({ trouble: { kind: 'card-lost' }, said: expect.stringContaining('GPU is lost') });
  }
});

it('says that there is no such program', async () => {
  const answer = await askSmi(smiCommand({ NKAT_NVIDIA_SMI: '/nowhere/nvidia-smi' }), ['-L'], LIMITS);
  expect(answer).toMatchObject({ kind: 'trouble', trouble: { kind: 'missing' } });
});
