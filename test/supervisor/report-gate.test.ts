import { expect, test, vi } from 'vitest';
import type { WorkerReport } from '../../src/supervisor/channel-server.ts';
import { ReportGate } from '../../src/supervisor/report-gate.ts';

const progress = (step: number, lastStepAgeMs = 0): WorkerReport => ({
  v: 1,
  type: 'progress',
  phase: 'train',
  epoch: 0,
  epochs: null,
  step,
  totalSteps: null,
  percent: null,
  loss: null,
  metrics: {},
  stepsPerSecond: null,
  best: null,
  lastStepAgeMs,
  skippedSaves: 0,
  waiting: null,
  report: null,
});
const notice: WorkerReport = { v: 1, type: 'notice', level: 'info', message: 'again' };
const done: WorkerReport = { v: 1, type: 'done', step: 9, epoch: 1, metrics: {}, sequence: null };

function gateAt(clock: { ms: number }) {
  const passed: WorkerReport[] = [];
  const dropped: number[] = [];
  const gate = new ReportGate({
    pass: (message) => passed.push(message),
    onDropped: (count) => dropped.push(count),
    nowMs: () => clock.ms,
  });
  return { gate, passed, dropped };
}

test('of a flood of progress the first and the newest get through, as old as they are', () => {
  const clock = { ms: 1_000 };
  const { gate, passed } = gateAt(clock);
  for (let step = 1; step <= 10_000; step += 1) gate.take(progress(step, 5));
  expect(passed).toEqual([progress(1, 5)]);
  clock.ms += 40;
  gate.flush();
  expect(passed).toEqual([progress(1, 5), progress(10_000, 45)]);
});

test('progress that is held back comes by itself, and before what was said after it', async () => {
  const { gate, passed } = gateAt({ ms: 1_000 });
  gate.take(progress(1));
  gate.take(progress(2));
  gate.take(done);
  expect(passed.map(({ type }) => type)).toEqual(['progress', 'progress', 'done']);
  gate.take(progress(3));
  await vi.waitFor(() => expect(passed).toHaveLength(4), { timeout: 100_000 });
});

test('notices beyond a rate are counted instead of kept; what an outcome depends on always passes', () => {
  const clock = { ms: 0 };
  const { gate, passed, dropped } = gateAt(clock);
  for (let index = 0; index < 5_000; index += 1) gate.take(notice);
  expect(passed).toHaveLength(1_000);
  expect(dropped).toEqual([1]);
  gate.take(done);
  expect(passed).toHaveLength(1_001);
  clock.ms += 10_000;
  for (let index = 0; index < 501; index += 1) gate.take(notice);
  expect(passed).toHaveLength(1_501);
  expect(dropped).toEqual([1, 4_001]);
});

test('messages that are dropped let no held progress out: a flood of both is thinned as one of progress is', () => {
  const { gate, passed } = gateAt({ ms: 0 });
  for (let step = 1; step <= 5_000; step += 1) {
    gate.take(progress(step));
    gate.take(notice);
  }
  expect(passed.filter(({ type }) => type === 'notice')).toHaveLength(1_000);
  expect(passed.filter(({ type }) => type === 'progress')).toHaveLength(1_000);
  gate.flush();
  expect(passed.at(-1)).toEqual(progress(5_000));
});

test.each(['restored', 'saved', 'unusable', 'diverged', 'done', 'acknowledged'] as const)(
  '%s is never dropped: a choice, an outcome or a client waits for it',
  (type) => {
    const { gate, passed, dropped } = gateAt({ ms: 0 });
    for (let index = 0; index < 2_000; index += 1) gate.take(notice);
    // Only its type is looked at.
    const message = { ...done, type } as unknown as WorkerReport;
    for (let index = 0; index < 2_000; index += 1) gate.take(message);
    expect(passed.filter((one) => one.type === type)).toHaveLength(2_000);
    expect(dropped).toEqual([1]);
  },
);
