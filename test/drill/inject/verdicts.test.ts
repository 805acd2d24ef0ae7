import { expect, test } from 'vitest';
import type { Candidate } from '../../../src/checkpoint/types.ts';
import { judgeChosen, judgeDamage, judgeFullDisk, judgeKilled } from '../../../src/drill/inject/verdicts.ts';
import type { RehearsalEnd } from '../../../src/drill/rehearsal-request.ts';
import type { Rehearsal } from '../../../src/drill/types.ts';

const DONE: Rehearsal = {
  outcome: 'done',
  reason: null,
  from: 3,
  backend: 'cpu',
  versions: {},
  restoreMs: 1,
  firstStepMs: 1,
  reachedStep: 4,
  loss: null,
  completed: false,
  lastLines: [],
  warnings: [],
};
const FAILED: Rehearsal = { ...DONE, outcome: 'failed', reason: 'it ended with exit code 1' };
const SLOW: Rehearsal = { ...DONE, outcome: 'timed-out', reason: 'no step was made' };
const SAVED: RehearsalEnd = {
  rehearsal: DONE,
  saved: { path: '/copy/4', sequence: 4 },
  acknowledged: 4,
  refusedSaves: 1,
  killMs: null,
};

test.each([
  ['went on, and saved with room again', SAVED, null],
  ['ended', { ...SAVED, rehearsal: FAILED }, 'it ended with exit code 1'],
  ['found room: nothing was rehearsed', { ...SAVED, refusedSaves: 0 }, 'no save found the disk full'],
  ['never saved again', { ...SAVED, saved: null }, 'it did not save again when there was room'],
])('a full disk: the trainer %s', (_, end, verdict) => {
  expect(judgeFullDisk(end)).toBe(verdict);
});

test('a kill: killed, or at its end before; a trainer that fails by itself did not come back', () => {
  expect(judgeKilled({ rehearsal: { ...DONE, outcome: 'killed' } })).toBeNull();
  expect(judgeKilled({ rehearsal: { ...DONE, completed: true } })).toBeNull();
  expect(judgeKilled({ rehearsal: FAILED })).toBe('it ended with exit code 1');
  expect(judgeKilled({ rehearsal: SLOW })).toBe('no step was made');
});

test('afterwards: something verifies, and nothing that was acknowledged is lost', () => {
  expect(judgeChosen(0, 3)).toBeNull();
  expect(judgeChosen(4, 4)).toBeNull();
  // Committed, and killed before it could tell.
  expect(judgeChosen(4, 5)).toBeNull();
  expect(judgeChosen(4, 3)).toBe('checkpoint 4 was acknowledged, and is not there to go on from');
  expect(judgeChosen(0, null)).toBe('no checkpoint verified afterwards');
});

const CORRUPTED = { path: '/copy/checkpoint_4', sequence: 4, wasBroken: false };
const OLDER = { path: '/copy/checkpoint_3', sequence: 3 };
const DAMAGED: Candidate = {
  sequence: 4,
  step: 40,
  epoch: 1,
  place: 'session',
  path: CORRUPTED.path,
  verdict: 'damaged',
  reason: 'a chunk differs',
  quarantinedTo: null,
};

test('damage is seen, and something older is taken; a backup of the same number is not it', () => {
  const name = 'corrupt-newest';
  expect(judgeDamage(name, CORRUPTED, OLDER, [DAMAGED])).toEqual({
    name,
    ok: true,
    text: 'one bit of checkpoint 4 was turned: seen, moved aside, 3 taken',
  });
  const unseen = { name, ok: false, text: 'one bit of checkpoint 4 was turned, and nobody saw it' };
  expect(judgeDamage(name, CORRUPTED, CORRUPTED, [{ ...DAMAGED, verdict: 'chosen' }])).toEqual(unseen);
  expect(judgeDamage(name, CORRUPTED, CORRUPTED, [DAMAGED])).toEqual(unseen);
  expect(judgeDamage(name, CORRUPTED, OLDER, [])).toEqual(unseen);
  expect(judgeDamage(name, CORRUPTED, OLDER, [{ ...DAMAGED, place: 'backup' }])).toEqual(unseen);
  expect(judgeDamage(name, CORRUPTED, null, [DAMAGED])).toMatchObject({
    ok: false,
    text: expect.stringContaining('nothing is left that verifies'),
  });
  expect(judgeDamage(name, null, null, [])).toMatchObject({ ok: false });
  const broken = { ...CORRUPTED, wasBroken: true };
  const before = 'checkpoint 4 did not verify before anything was done to it';
  expect(judgeDamage(name, broken, OLDER, [DAMAGED])).toEqual({ name, ok: true, text: `${before}: 3 taken` });
  expect(judgeDamage(name, broken, null, [])).toMatchObject({ ok: false, text: expect.stringContaining(before) });
});
