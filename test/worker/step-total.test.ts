import { expect, test } from 'vitest';
import { stepTotal } from '../../src/worker/step-total.ts';

const START = { step: 0, epoch: 0, stepsInEpoch: 0, epochSteps: null };

test('the steps of the whole run: by the batches of the pass at first, then by the epoch before', () => {
  expect(stepTotal(START, null, 10, false)).toBeNull();
  expect(stepTotal(START, 3, null, false)).toBeNull();
  expect(stepTotal({ ...START, step: 4, stepsInEpoch: 4 }, 3, 10, false)).toBe(30);
  // It leaves its passes early.
  expect(stepTotal({ step: 9, epoch: 1, stepsInEpoch: 1, epochSteps: 8 }, 3, 10, false)).toBe(24);
  expect(stepTotal({ step: 24, epoch: 3, stepsInEpoch: 0, epochSteps: 8 }, 3, 10, false)).toBe(24);
});

test('after batches became smaller the epoch before, whose batches were larger, does not count', () => {
  expect(stepTotal({ step: 14, epoch: 1, stepsInEpoch: 0, epochSteps: 14 }, 3, 20, true)).toBe(54);
  // Several passes an epoch.
  expect(stepTotal({ step: 40, epoch: 1, stepsInEpoch: 0, epochSteps: 40 }, 2, 20, true)).toBe(80);
});
