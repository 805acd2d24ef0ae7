import { expect, test } from 'vitest';
import { continueQuestion } from '../../../src/cli/render/continue-words.ts';
import { errorWords } from '../../../src/cli/render/error-words.ts';
import { NkatError } from '../../../src/errors.ts';
import { sessionRow } from '../../sessions/rows.ts';

const now = Date.parse('2026-11-22T12:03:00.000Z');
const checkpoint = { sequence: 12, epoch: 7, step: 3201, createdAt: '2026-11-22T12:00:00.000Z' };
const row = sessionRow('20261122_120000_aaaa', { name: 'night' });
const present = { state: 'crashed', ownerPid: null, workerAlive: false } as const;

test('the question names session, place, checkpoint and its age', () => {
  const question = continueQuestion({ session: { row, present }, checkpoint, changedTrainer: null, now });
  expect(question).toBe(
    'Continue session 20261122_120000_aaaa "night" from epoch 7, step 3201 (checkpoint 12, 3 min ago)?',
  );
});

test('a session without a checkpoint, an orphan and a changed trainer are told as such', () => {
  expect(continueQuestion({ session: { row, present }, checkpoint: null, changedTrainer: null, now })).toContain(
    'no checkpoint yet',
  );
  const orphan = continueQuestion({
    session: { row, present: { ...present, state: 'orphaned' } },
    checkpoint,
    changedTrainer: '/a/train.ts',
    now,
  });
  expect(orphan).toContain('still training without a supervisor');
  expect(orphan).toMatch(/^\/a\/train\.ts has changed.*\n/);
});

test('a refusal names what could not be done, why, where, and what helps', () => {
  const error = new NkatError('it is not there', {
    code: 'io',
    operation: 'open the store',
    path: '/a/b',
    hint: 'Mount it.',
  });
  expect(errorWords(error).map(({ text }) => text)).toEqual([
    'nkat-recover: cannot open the store: it is not there (/a/b)',
    'Mount it.',
  ]);
});
