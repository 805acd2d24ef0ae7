/** Will the disk last? In virtual time. */
import { expect, test } from 'vitest';
import {
  type DiskOutlook,
  type DiskSample,
  fullInMs,
  judgeDisk,
  withSample,
} from '../../../src/supervisor/warnings/disk-forecast.ts';

const GB = 1e9;
const HOUR = 3_600_000;
const MINUTE = 60_000;

/** Somebody else takes `gbPerHour`; we have `present` checkpoints of 1 GB. */
function outlook(free: number, gbPerHour: number, change: Partial<DiskOutlook> = {}): DiskOutlook {
  const samples: DiskSample[] = [0, 10, 20, 30].map((minute) => ({
    atMs: minute * MINUTE,
    freeBytes: free * GB + ((30 - minute) / 60) * gbPerHour * GB,
    ownBytes: 5 * GB,
  }));
  return {
    samples,
    present: 5,
    keep: 5,
    maxBytes: null,
    saveBytes: GB,
    intervalMs: 5 * MINUTE,
    remainingMs: 10 * HOUR,
    ...change,
  };
}

test('a quiet disk with all checkpoints in place lasts for ever', () => {
  expect(fullInMs(outlook(100, 0))).toBeNull();
  expect(judgeDisk(outlook(100, 0), '/d').kind).toBe('clear');
});

test('full before the end of the run at the rate of others: told with hours, sizes and the cure', () => {
  // 42 GB, less the room of one save (2 GB), at 8 GB an hour.
  expect((fullInMs(outlook(42, 8)) ?? 0) / HOUR).toBeCloseTo(5, 5);
  const verdict = judgeDisk(outlook(42, 8), '/d');
  expect(verdict).toMatchObject({ kind: 'raise', hint: expect.stringContaining('--keep') });
  expect(verdict.kind === 'raise' && verdict.message).toMatch(
    /full in about 5 h.*before the end of the run \(in about 10 h\)/,
  );
});

test('near the end of the run nothing flickers; far from it all is well', () => {
  expect(judgeDisk(outlook(42, 8, { remainingMs: 4 * HOUR }), '/d').kind).toBe('keep');
  expect(judgeDisk(outlook(42, 8, { remainingMs: 3 * HOUR }), '/d').kind).toBe('clear');
});

test('where the end is not known: within a day', () => {
  expect(judgeDisk(outlook(42, 8, { remainingMs: null }), '/d')).toMatchObject({
    kind: 'raise',
    message: expect.stringContaining('within a day'),
  });
  expect(judgeDisk(outlook(1_000, 8, { remainingMs: null }), '/d').kind).toBe('clear');
});

test('our own checkpoints up to retention count in advance, and their growth is no trend', () => {
  const growing: DiskSample[] = [0, 1, 2, 3].map((count) => ({
    atMs: count * 10 * MINUTE,
    freeBytes: (20 - count) * GB,
    ownBytes: count * GB,
  }));
  const early = { ...outlook(0, 0), samples: growing, present: 3 };
  expect(fullInMs(early)).toBeNull();
  // 17 GB free, 20 to come: told now, not when it is full.
  expect(judgeDisk({ ...early, keep: 23 }, '/d').kind).toBe('raise');
  expect(judgeDisk({ ...early, keep: 23, maxBytes: 5 * GB }, '/d').kind).toBe('clear');
});

test('a minute of measuring is too early to tell; so is less than two checkpoints', () => {
  const [first, ...rest] = outlook(42, 600).samples;
  const short = [first, rest[0]].flatMap((sample) =>
    sample === undefined ? [] : [{ ...sample, atMs: sample.atMs / 10 }],
  );
  expect(fullInMs({ ...outlook(42, 8), samples: short })).toBeNull();
  expect(fullInMs(outlook(42, 3))).toBeNull();
});

test('samples older than the window are forgotten', () => {
  let samples: readonly DiskSample[] = [];
  for (let minute = 0; minute < 500; minute++) {
    samples = withSample(samples, { atMs: minute * MINUTE, freeBytes: 1, ownBytes: 0 });
  }
  expect(samples).toHaveLength(30);
});
