import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SavePolicy } from '../../src/protocol/messages.ts';
import { Periodic } from '../../src/worker/periodic.ts';
import {
  autoIntervalMs,
  DAILY_BYTES,
  dueAtEpoch,
  intervalMs,
  isBetter,
  NO_COST,
  readBudgetMs,
  withMeasurement,
} from '../../src/worker/save-policy.ts';

const policy: SavePolicy = {
  every: 'auto',
  everySteps: null,
  everyEpochs: null,
  overhead: 0.005,
  asyncSave: null,
  keep: 5,
  maxBytes: null,
  best: null,
  onFullDisk: null,
  bestMinDelta: null,
};
const HOUR_MS = 3_600_000;

/** Saves of a virtual run: steps of `stepMs`, each save stalls for `stallMs` and takes `writeMs` to write. */
function simulate(
  chosen: SavePolicy,
  totalMs: number,
  stepMs: number,
  save: { stallMs: number; bytes: number; writeMs: number },
) {
  const periodic = new Periodic(chosen, 0);
  const at: number[] = [];
  let busyUntil = 0;
  let now = 0;
  for (let step = 1; now < totalMs; step++) {
    now += stepMs;
    if (!periodic.due(step, now)) continue;
    if (now < busyUntil) periodic.passedOver(now);
    else {
      periodic.begun(now);
      at.push(now);
      now += save.stallMs;
      busyUntil = now + save.writeMs;
      periodic.measured(save.stallMs, save.bytes);
    }
  }
  return { at, skipped: periodic.skipped };
}

test('auto keeps the stall under its share of the training time', () => {
  const stallMs = 200;
  const { at } = simulate(policy, HOUR_MS, 50, { stallMs, bytes: 1e6, writeMs: 100 });
  expect((at.length * stallMs) / HOUR_MS).toBeLessThanOrEqual(0.005 + 1e-3);
  expect((at.length * stallMs) / HOUR_MS).toBeGreaterThan(0.0045);
});

test('auto saves no more often than every 10 s and no less often than every 300 s', () => {
  const cheap = simulate(policy, HOUR_MS, 50, { stallMs: 0, bytes: 1e3, writeMs: 1 });
  expect(cheap.at).toHaveLength(360);
  const dear = simulate(policy, HOUR_MS, 50, { stallMs: 60_000, bytes: 1e3, writeMs: 1 });
  expect(Math.min(...dear.at.slice(2).map((ms, index) => ms - (dear.at[index + 1] ?? 0)))).toBeLessThan(361_000);
  expect(dear.at.length).toBeGreaterThanOrEqual(9);
});

test('the daily budget of bytes wins over the 300 s', () => {
  const bytes = 2e9;
  const { at } = simulate(policy, 24 * HOUR_MS, 1_000, { stallMs: 10, bytes, writeMs: 1_000 });
  expect(at.length * bytes).toBeLessThanOrEqual(DAILY_BYTES + bytes);
  expect(at.length).toBeGreaterThan(95);
});

test('the interval never falls below any of its bounds, whatever was measured', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.integer({ min: 0, max: 2 ** 40 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (stallMs, bytes, overhead) => {
        const ms = autoIntervalMs({ stallMs, bytes }, overhead);
        expect(ms).toBeGreaterThanOrEqual(10_000);
        expect((86_400_000 / ms) * bytes).toBeLessThanOrEqual(DAILY_BYTES * (1 + 1e-9));
        if (bytes < 1e8) expect(ms).toBeLessThanOrEqual(300_000);
      },
    ),
  );
});

test('a save of 33 hours every 180 s is made 660 times', () => {
  const { at } = simulate({ ...policy, every: 180_000 }, 33 * HOUR_MS, 1_000, { stallMs: 0, bytes: 1e9, writeMs: 500 });
  expect(at).toHaveLength(660);
});

test('by steps: exactly at the multiples; those that meet a save in flight are counted', () => {
  const bySteps = { ...policy, every: null, everySteps: 500 };
  expect(simulate(bySteps, 10_000, 1, { stallMs: 0, bytes: 1, writeMs: 1 }).at).toHaveLength(20);
  const slow = simulate(bySteps, 10_000, 1, { stallMs: 0, bytes: 1, writeMs: 700 });
  expect(slow.at).toHaveLength(10);
  expect(slow.skipped).toBe(10);
});

test('not by time: never due by time', () => {
  expect(intervalMs({ ...policy, every: null }, NO_COST)).toBeNull();
  expect(simulate({ ...policy, every: null }, HOUR_MS, 100, { stallMs: 0, bytes: 1, writeMs: 1 }).at).toEqual([]);
});

test('by epochs', () => {
  expect([1, 2, 3, 4].filter((epoch) => dueAtEpoch({ ...policy, everyEpochs: 2 }, epoch))).toEqual([2, 4]);
  expect(dueAtEpoch(policy, 1)).toBe(false);
});

test('measurements are smoothed, sizes are not', () => {
  const twice = withMeasurement(withMeasurement(NO_COST, 100, 10), 200, 20);
  expect(twice).toEqual({ stallMs: 150, bytes: 20 });
});

test('reading may take 4 ms, or 1 % of a long step', () => {
  expect(readBudgetMs(50)).toBe(4);
  expect(readBudgetMs(2_000)).toBe(20);
});

test('better is strict and never NaN', () => {
  expect(isBetter(0.9, 0.8, 'max')).toBe(true);
  expect(isBetter(0.8, 0.8, 'max')).toBe(false);
  expect(isBetter(0.7, 0.8, 'min')).toBe(true);
  expect(isBetter(Number.NaN, null, 'min')).toBe(false);
  expect(isBetter(1, null, 'min')).toBe(true);
});
