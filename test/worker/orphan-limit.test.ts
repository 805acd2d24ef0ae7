import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OrphanLimit } from '../../src/worker/thread/orphan-limit.ts';

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function limit() {
  const done: string[] = [];
  const orphanLimit = new OrphanLimit({
    noteFile: undefined,
    stop: (reason) => done.push(reason),
    kill: () => done.push('kill'),
  });
  return { orphanLimit, done };
}

test('longer than a timer of Node can hold: it is waited for all the same', () => {
  const { orphanLimit, done } = limit();
  orphanLimit.attended(30 * DAY_MS);
  orphanLimit.abandoned();
  vi.advanceTimersByTime(30 * DAY_MS - 1);
  expect(done).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(done).toEqual([expect.stringContaining('--orphan-limit')]);
  vi.advanceTimersByTime(900_000);
  expect(done).toEqual([expect.anything(), 'kill']);
});

test('a supervisor that comes back begins it anew, also while the loop is asked to stop', () => {
  const { orphanLimit, done } = limit();
  orphanLimit.attended(60_000);
  orphanLimit.abandoned();
  vi.advanceTimersByTime(59_000);
  // Told again while nobody is there: the time goes on.
  orphanLimit.abandoned();
  orphanLimit.attended(60_000);
  vi.advanceTimersByTime(DAY_MS);
  expect(done).toEqual([]);
  orphanLimit.abandoned();
  vi.advanceTimersByTime(60_000);
  expect(done).toHaveLength(1);
  orphanLimit.attended(60_000);
  vi.advanceTimersByTime(DAY_MS);
  expect(done).toHaveLength(1);
});

test('without a limit, or never told of one, a worker trains on for ever', () => {
  const { orphanLimit, done } = limit();
  orphanLimit.abandoned();
  orphanLimit.attended(null);
  orphanLimit.abandoned();
  vi.advanceTimersByTime(100 * DAY_MS);
  expect(done).toEqual([]);
});
