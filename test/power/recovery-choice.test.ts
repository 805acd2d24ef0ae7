import { expect, test } from 'vitest';
import { chooseRecovery, type InterruptedFacts } from '../../src/power/recovery-choice.ts';

const CUT: InterruptedFacts = {
  state: 'cut',
  recorded: 'running',
  stoppedBy: null,
  ownerRole: 'supervisor',
  elsewhere: null,
  supersededBy: null,
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
