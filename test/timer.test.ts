import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startTimer } from '../src/timer.ts';

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([0, 5, 60 * DAY_MS])('a timer of %d ms fires then, once, and not before', (ms) => {
  const fired = vi.fn();
  startTimer(fired, ms);
  vi.advanceTimersByTime(Math.max(0, ms - 1));
  expect(fired).toHaveBeenCalledTimes(ms === 0 ? 1 : 0);
  vi.advanceTimersByTime(1);
  expect(fired).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(100 * DAY_MS);
  expect(fired).toHaveBeenCalledTimes(1);
});

test.each([0, 30])('one that is cleared after %d days never fires', (days) => {
  const fired = vi.fn();
  const timer = startTimer(fired, 60 * DAY_MS);
  vi.advanceTimersByTime(days * DAY_MS);
  timer.clear();
  vi.advanceTimersByTime(100 * DAY_MS);
  expect(fired).not.toHaveBeenCalled();
});
