/** Warnings about saves, in virtual time. */
import { expect, test } from 'vitest';
import type { SupervisorEvent } from '../../../src/supervisor/events.ts';
import { afterEvent, NO_FACTS, type SaveWatchFacts } from '../../../src/supervisor/warnings/save-facts.ts';
import {
  intervalOf,
  judgeDurableAge,
  judgeSkippedSaves,
  judgeSlowSave,
} from '../../../src/supervisor/warnings/save-warnings.ts';
import { FRESH_BUDGET } from '../../../src/words.ts';

const MINUTE = 60_000;
const training: SaveWatchFacts = { ...NO_FACTS, trainingSinceMs: 0, stepsPerSecond: 2, phase: 'train', steppedAtMs: 0 };

const PROGRESS = {
  name: 'progress',
  phase: 'train',
  epoch: 0,
  epochs: null,
  step: 5,
  totalSteps: null,
  percent: null,
  loss: null,
  metrics: {},
  stepsPerSecond: 2,
  bestMetric: null,
  skippedSaves: 0,
  waiting: null,
  lastDurableAt: null,
  lastDurableAgeMs: null,
  attempt: 1,
} as const;

test('the interval that the settings mean', () => {
  const save = { every: null, everySteps: null, everyEpochs: null, overhead: 0.005 };
  expect(intervalOf({ ...save, every: 'auto' }, training)).toBe(5 * MINUTE);
  expect(intervalOf({ ...save, every: 'auto' }, { ...training, lastSaveBytes: 1e9 })).toBe(432_000);
  expect(intervalOf({ ...save, every: 1_000 }, training)).toBe(1_000);
  expect(intervalOf({ ...save, everySteps: 100 }, training)).toBe(50_000);
  expect(intervalOf({ ...save, everySteps: 100 }, { ...training, stepsPerSecond: null })).toBeNull();
  expect(intervalOf({ ...save, everyEpochs: 1 }, training)).toBeNull();
});

test('the durable age: silent up to three intervals, told beyond, over with a young checkpoint; not in between', () => {
  const judge = (facts: SaveWatchFacts, nowMs: number) => judgeDurableAge(facts, MINUTE, nowMs);
  expect(judge({ ...training, steppedAtMs: 3 * MINUTE }, 3 * MINUTE).kind).toBe('keep');
  expect(judge(training, 3 * MINUTE + 1).kind).toBe('raise');
  const saved = { ...training, lastDurableMs: 10 * MINUTE };
  expect(judge(saved, 11 * MINUTE).kind).toBe('clear');
  expect(judge(saved, 12 * MINUTE).kind).toBe('keep');
  expect(judge(saved, 13 * MINUTE + 1).kind).toBe('raise');
  expect(judgeDurableAge(training, null, 1e9).kind).toBe('keep');
});

test.each([
  ['a save that hangs', { savingSinceMs: 1, steppedAtMs: MINUTE }, 'not durable yet'],
  [
    'a save that no step has read',
    { savingSinceMs: 5 * MINUTE, steppedAtMs: 5 * MINUTE + 500 },
    'at the end of a step',
  ],
  ['a save that failed', { lastFailure: { code: 'io', message: 'EIO' } }, 'io: EIO'],
  ['no steps', { phase: 'eval' }, 'phase eval'],
  ['nothing at all', { steppedAtMs: 10 * MINUTE }, 'no save was begun'],
])('the likely cause of an old checkpoint: %s', (_name, facts, words) => {
  const verdict = judgeDurableAge({ ...training, ...facts }, MINUTE, 10 * MINUTE);
  expect(verdict).toMatchObject({ kind: 'raise', message: expect.stringContaining(words), hint: expect.any(String) });
});

test('what was told as a full disk, or waits on purpose, is not told as old', () => {
  expect(judgeDurableAge({ ...training, diskFull: true }, MINUTE, 10 * MINUTE).kind).toBe('keep');
  expect(judgeDurableAge({ ...training, waiting: true }, MINUTE, 10 * MINUTE).kind).toBe('keep');
});

test('a stop that is being obeyed makes no more steps, which is no news', () => {
  const stop: SupervisorEvent = {
    ...{ name: 'stop-requested', signal: 'SIGINT', stage: 'saving', deadlineMs: 60_000, lastStepAgeMs: null },
  };
  expect(judgeDurableAge(afterEvent(training, stop, 1), MINUTE, 10 * MINUTE).kind).toBe('keep');
});

test('evaluations longer than three intervals are told with the first of them; one much longer is told again', () => {
  const seen = { ...training, longestGapMs: 5 * MINUTE };
  expect(judgeDurableAge(seen, MINUTE, 7 * MINUTE).kind).toBe('keep');
  expect(judgeDurableAge(seen, MINUTE, 8 * MINUTE).kind).toBe('raise');
  // Not what else keeps a checkpoint from being made.
  expect(judgeDurableAge({ ...seen, savingSinceMs: 1 }, MINUTE, 7 * MINUTE).kind).toBe('raise');
  const progress = { ...PROGRESS, step: 1 };
  const stepped = afterEvent(afterEvent(training, progress, 4 * MINUTE), { ...progress, step: 2 }, 5 * MINUTE);
  expect(stepped).toMatchObject({ longestGapMs: 4 * MINUTE, steppedAtMs: 5 * MINUTE, step: 2 });
});

test('a save that waited for long steps is not the fault of the disk', () => {
  const took = { ...training, lastSaveTookMs: 14_000, lastSaveBytes: 1_840 };
  const message = (facts: SaveWatchFacts): unknown => judgeSlowSave(facts, 3_000, 0);
  expect(message({ ...took, stepsPerSecond: 1 / 14 })).toMatchObject({
    message: 'A save took 14 s, longer than its interval of 3 s: it is read between steps, and a step takes about 14 s',
    hint: expect.not.stringContaining('disk'),
  });
  expect(message(took)).toMatchObject({
    message: 'A save took 14 s (1.8 kB at 131 B/s), longer than its interval of 3 s',
    hint: expect.stringContaining('disk'),
  });
});

test('a save longer than its interval, or than five minutes, or that does not end', () => {
  const took = (ms: number) => ({ ...training, lastSaveTookMs: ms, lastSaveBytes: 1e9 });
  expect(judgeSlowSave(took(61_000), MINUTE, 0)).toMatchObject({
    kind: 'raise',
    message: expect.stringContaining('interval'),
  });
  expect(judgeSlowSave(took(301_000), null, 0).kind).toBe('raise');
  expect(judgeSlowSave(took(301_000), 10 * MINUTE, 0).kind).toBe('raise');
  expect(judgeSlowSave(took(59_000), MINUTE, 0).kind).toBe('keep');
  expect(judgeSlowSave(took(40_000), MINUTE, 0).kind).toBe('clear');
  expect(judgeSlowSave({ ...training, savingSinceMs: 0 }, null, 5 * MINUTE + 1)).toMatchObject({
    kind: 'raise',
    message: expect.stringContaining('hangs'),
  });
});

test('skipped saves: told at the first, over after ten quiet intervals', () => {
  const progress = PROGRESS;
  let facts = afterEvent(training, progress, 0);
  expect(judgeSkippedSaves(facts, MINUTE, 0).kind).toBe('keep');
  facts = afterEvent(facts, { ...progress, skippedSaves: 1 }, MINUTE);
  expect(judgeSkippedSaves(facts, MINUTE, MINUTE).kind).toBe('raise');
  const took = (ms: number) => judgeSkippedSaves({ ...facts, lastSaveTookMs: ms }, MINUTE, MINUTE);
  expect(took(90_000)).toMatchObject({ message: expect.stringContaining('which takes 1 min 30 s') });
  expect(took(40)).toMatchObject({ message: expect.not.stringContaining('which takes') });
  facts = afterEvent(facts, { ...progress, skippedSaves: 1 }, 2 * MINUTE);
  expect(judgeSkippedSaves(facts, MINUTE, 10 * MINUTE).kind).toBe('raise');
  expect(judgeSkippedSaves(facts, MINUTE, 11 * MINUTE).kind).toBe('clear');
});

test('a worker that ended takes what was known of it along', () => {
  const facts = afterEvent(
    { ...training, savingSinceMs: 3, lastSaveBytes: 7 },
    {
      name: 'worker-ended',
      attempt: 1,
      class: 'killed',
      code: null,
      signal: 'SIGKILL',
      reason: '',
      lastLines: [],
      lastStep: 5,
      budget: FRESH_BUDGET,
    },
    9,
  );
  expect(facts).toMatchObject({ trainingSinceMs: null, savingSinceMs: null, lastSaveBytes: 7 });
});
