import { expect, test } from 'vitest';
import { chooseRecovery, type InterruptedFacts } from '../../src/power/recovery-choice.ts';

const CUT: InterruptedFacts = {
  state: 'cut',
  recorded: 'running',
  stoppedBy: null,
  ownerRole: 'supervisor',
  elsewhere: null,
  supersededBy: null,
  silentMs: 60_000,
  maxAgeMs: 7 * 86_400_000,
};

function choose(changes: Partial<InterruptedFacts>) {
  return chooseRecovery({ ...CUT, ...changes });
}

test('a cut and the death of a supervisor are undone; a worker that lives is adopted', () => {
  expect(choose({})).toEqual({ kind: 'resume' });
  expect(choose({ state: 'crashed' })).toEqual({ kind: 'resume' });
  expect(choose({ state: 'orphaned', recorded: 'orphaned' })).toEqual({ kind: 'adopt' });
});

test('what has ended, whatever way, stays as it ended', () => {
  for (const state of ['completed', 'gave-up', 'crashed', 'interrupted', 'gpu-lost'] as const) {
    expect(choose({ state, recorded: state })).toEqual({ kind: 'leave', reason: null });
  }
  expect(choose({ state: 'running' })).toEqual({ kind: 'leave', reason: null });
});

test('what the operator stopped stays stopped, also where the power went before it had ended', () => {
  expect(choose({ stoppedBy: 'operator' })).toMatchObject({
    kind: 'leave',
    reason: expect.stringContaining('request'),
  });
  expect(choose({ state: 'interrupted', recorded: 'interrupted', stoppedBy: 'operator' }).kind).toBe('leave');
});

test('what was stopped because the machine went down, or its battery ran low, comes back', () => {
  for (const stoppedBy of ['shutdown', 'ups'] as const) {
    expect(choose({ state: 'interrupted', recorded: 'interrupted', stoppedBy })).toEqual({ kind: 'resume' });
    expect(choose({ stoppedBy })).toEqual({ kind: 'resume' });
  }
});

test('left alone, and said: held elsewhere, begun anew since, run without a supervisor', () => {
  const reason = (changes: Partial<InterruptedFacts>) => choose(changes);
  expect(reason({ state: 'running', elsewhere: 'far-away' })).toMatchObject({
    reason: expect.stringContaining('far-away'),
  });
  expect(reason({ supersededBy: '20261123_120000_abcd' })).toMatchObject({ reason: expect.stringContaining('_abcd') });
  expect(reason({ ownerRole: 'alone' })).toMatchObject({ reason: expect.stringContaining('without a supervisor') });
});

test("what was last heard of too long ago is nobody's wish any more: it is asked for; what trains is never old", () => {
  const maxAgeMs = 60_000;
  expect(choose({ silentMs: 60_000, maxAgeMs })).toEqual({ kind: 'resume' });
  expect(choose({ silentMs: 60_001, maxAgeMs })).toEqual({ kind: 'too-old' });
  expect(choose({ silentMs: 10 ** 12, maxAgeMs: null })).toEqual({ kind: 'resume' });
  // A clock that was set back.
  expect(choose({ silentMs: -1, maxAgeMs })).toEqual({ kind: 'resume' });
  expect(choose({ state: 'orphaned', recorded: 'orphaned', silentMs: 10 ** 12, maxAgeMs })).toEqual({ kind: 'adopt' });
  // What would be left alone anyway keeps its own reason.
  expect(choose({ stoppedBy: 'operator', silentMs: 10 ** 12, maxAgeMs })).toMatchObject({ kind: 'leave' });
});
