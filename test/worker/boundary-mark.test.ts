/** What a step boundary remembers so that a run which dies after it can be saved: how much that may cost. */
import { expect, test } from 'vitest';
import { BoundaryMark } from '../../src/worker/boundary-mark.ts';
import type { TrainingState } from '../../src/worker/state.ts';

const STEP_MS = 1;

/** @param copies what each copy takes, in turn @returns what stands after each boundary */
function standings(copies: readonly number[]): string[] {
  let now = 0;
  let boundary = 0;
  const mark = new BoundaryMark({
    random: () => ({}) as never,
    // Read once a copy, so that the clock moves while it is made.
    kept: () => new Map([['kept', {}]]),
    now: () => {
      const at = now;
      now += copies[boundary] ?? 0;
      return at;
    },
  });
  const state: TrainingState = { mark: () => undefined, isMarked: () => true } as never;
  return copies.map((_, at) => {
    boundary = at;
    mark.begin();
    mark.made(state, STEP_MS);
    return mark.standing(state).kind;
  });
}

test('copies that take long are given up, however long the run', () => {
  expect(standings([60, 60, 60, 60])).toEqual(['unchanged', 'unchanged', 'kept-too-large', 'kept-too-large']);
});

test('a copy that took long because its processor was away costs no later emergency save', () => {
  const usual = [0.01, 0.01, 0.01];
  expect(standings([400, ...usual, 400, ...usual, 400, ...usual]).filter((kind) => kind !== 'unchanged')).toEqual([]);
});
