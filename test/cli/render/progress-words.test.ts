import fc from 'fast-check';
import { expect, test } from 'vitest';
import { liveText, progressText } from '../../../src/cli/render/progress-words.ts';
import { waitingAfter } from '../../../src/cli/render/waiting-words.ts';
import { cutToWidth, onScreen, printable, widthOf } from '../../../src/cli/render/width.ts';
import { chosen, progress, verifying } from './events.ts';

const clock = { sinceMs: 0, monotonic: 1_000 };

test('the live line has epoch, step, loss, rate, ETA, age of the last save and the attempt', () => {
  const text = liveText(progress, null, clock, 200);
  for (const fact of [
    'epoch 4/10',
    'step 1204/4690',
    'loss 0.1235',
    '85.25 steps/s',
    'ETA 41 s',
    'saved 12 s ago',
    'attempt 2',
  ]) {
    expect(text).toContain(fact);
  }
});

test('what is not known is left out', () => {
  const text = progressText({
    ...progress,
    totalSteps: null,
    epochs: null,
    percent: null,
    loss: null,
    stepsPerSecond: null,
    lastDurableAt: null,
    lastDurableAgeMs: null,
    attempt: 1,
  });
  expect(text).toBe('epoch 4 · step 1204 · nothing saved yet');
});

test('a narrow screen keeps the step and is never overrun', () => {
  expect(liveText(progress, null, clock, 40)).toContain('step 1204/4690');
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 120 }),
      (columns) => widthOf(liveText(progress, null, clock, columns)) <= columns,
    ),
  );
});

test('a stop shows what is waited for and the time left, even on a narrow screen', () => {
  const text = liveText(progress, { stage: 'saving', deadlineAt: 31_000 }, clock, 35);
  expect(text).toContain('saving, 30 s left');
  expect(liveText(null, { stage: 'killing', deadlineAt: 0 }, clock, 80)).toContain('killed');
});

test('width counts columns: wide characters two, combining ones none', () => {
  expect([widthOf('abc'), widthOf('訓練'), widthOf('e\u0301'), widthOf('🚀')]).toEqual([3, 4, 1, 2]);
  expect(cutToWidth('訓練する', 5)).toBe('訓練…');
  expect(cutToWidth('abc', 3)).toBe('abc');
  expect(cutToWidth('abcd', 3)).toBe('ab…');
});

test('control characters never reach the screen, colours of a worker do', () => {
  expect(printable('a\u001b[31mb\u0007\u001b[2Kc\td')).toBe('abc  d');
  expect(onScreen('10 %\r20 %\r')).toBe('20 %');
  expect(onScreen('\u001b[32mok\u001b[0m\u001b[5A')).toBe('\u001b[32mok\u001b[0m');
});

test('the age of the last save is that of a clock that nobody sets', () => {
  const future = { ...progress, lastDurableAt: '2027-11-22T12:00:00.000Z', lastDurableAgeMs: 7_000 };
  expect(progressText(future)).toContain('saved 7 s ago');
  expect(liveText(future, null, { sinceMs: 2_000, monotonic: 0 }, 200)).toContain('saved 9 s ago');
});

test('before there is progress the live line says what is waited for', () => {
  const show = (waiting: ReturnType<typeof waitingAfter>, monotonic: number) =>
    liveText(null, null, { sinceMs: 0, monotonic }, 100, waiting);
  const started = waitingAfter(null, { name: 'attempt-started', attempt: 1, pid: 7 }, 1_000);
  expect(show(started, 2_000)).toBe('starting');
  expect(show(started, 73_000)).toMatch(/no connect\(\).* 1 min 12 s/);
  const reading = waitingAfter(started, verifying, 1_000);
  expect(show(reading, 0)).toBe('verifying checkpoint 12: 3.1 GB of 9.8 GB');
  expect(show(waitingAfter(reading, chosen, 0), 0)).toBe('starting');
  const connected = { name: 'worker-connected', attempt: 1, pid: 7, adopted: false } as const;
  expect(show(waitingAfter(started, connected, 0), 73_000)).toBe('starting');
  // A stop while the final checkpoint is read back shows both.
  const both = liveText(null, { stage: 'saving', deadlineAt: 9_000 }, { sinceMs: 0, monotonic: 0 }, 100, reading);
  expect(both).toMatch(/^stopping.*verifying checkpoint 12/);
});

test('work without epochs shows percent, stage and results, and no epoch that it does not have', () => {
  const report = { percent: 62.5, stage: 'simulating', results: { pressure: 1.2 } };
  const facts = { ...progress, report, epochs: null, epoch: 0, step: 0, totalSteps: null };
  const text = liveText(facts, null, clock, 200);
  expect(text).toContain('62.5 % · simulating · pressure 1.2');
  expect(text).not.toMatch(/epoch|step \d/);
  expect(progressText(facts)).toContain('62.5 % · simulating');
});
