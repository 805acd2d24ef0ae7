import { expect, test } from 'vitest';
import { type CutNote, judgeCut, SOON_MS, withCut } from '../../src/power/power-cut.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const NOON = Date.parse('2026-11-23T12:00:00.000Z');
const SETTLE = 60_000;

interface Given {
  readonly earlier?: readonly CutNote[];
  readonly lastSeenMs?: number;
  readonly nowMs?: number;
  readonly uptimeMs?: number;
  readonly settleMs?: number;
}

function judge({ earlier = [], lastSeenMs = NOON, nowMs = NOON + HOUR, uptimeMs = 10_000, settleMs = SETTLE }: Given) {
  return judgeCut({ earlier, lastSeenMs, nowMs, uptimeMs, settleMs });
}

/** A cut whose recovery began so long before noon. */
function recovered(beforeNoonMs: number, backForMs = HOUR): CutNote {
  const resumedMs = NOON - beforeNoonMs;
  return {
    lastSeenAt: new Date(resumedMs - backForMs).toISOString(),
    resumedAt: new Date(resumedMs).toISOString(),
  };
}

test('the first cut: its downtime is known, and nothing is waited for', () => {
  expect(judge({})).toEqual({
    lastSeenAt: '2026-11-23T12:00:00.000Z',
    bootedAt: '2026-11-23T12:59:50.000Z',
    downMs: HOUR,
    inRow: 1,
    backForMs: null,
    waitMs: 0,
  });
});

test('a cut long after the recovery from the last one is a first one again', () => {
  expect(judge({ earlier: [recovered(SOON_MS)] })).toMatchObject({ inRow: 1, backForMs: SOON_MS, waitMs: 0 });
});

test('a cut soon after the recovery: the machine has to be up for the settling time', () => {
  const earlier = [recovered(3 * MINUTE)];
  expect(judge({ earlier })).toMatchObject({ inRow: 2, backForMs: 3 * MINUTE, waitMs: SETTLE - 10_000 });
  expect(judge({ earlier, uptimeMs: 5 * MINUTE }).waitMs).toBe(0);
  expect(judge({ earlier, settleMs: 0 }).waitMs).toBe(0);
});

test('cuts in a row are counted back to the last recovery that held', () => {
  let earlier: CutNote[] = [recovered(2 * HOUR)];
  let lastSeenMs = NOON;
  for (const inRow of [1, 2, 3, 4]) {
    const nowMs = lastSeenMs + 5 * MINUTE;
    const cut = judge({ earlier, lastSeenMs, nowMs });
    expect(cut.inRow).toBe(inRow);
    earlier = withCut(earlier, cut, nowMs);
    lastSeenMs = nowMs + 2 * MINUTE;
  }
});

test('clocks that say something impossible tell nothing, and are waited out in full', () => {
  const backwards = judge({ earlier: [recovered(MINUTE)], nowMs: NOON - HOUR });
  expect(backwards).toMatchObject({ downMs: null, bootedAt: null, waitMs: SETTLE });
  // Up since before it was last seen: this machine was not booted at all as far as its clock goes.
  expect(judge({ earlier: [recovered(MINUTE)], uptimeMs: 5 * HOUR })).toMatchObject({ bootedAt: null, waitMs: SETTLE });
  expect(judge({ earlier: [recovered(-HOUR)] })).toMatchObject({ inRow: 1, backForMs: null });
});

test('a session does not remember its cuts for ever', () => {
  let cuts: CutNote[] = [];
  for (let i = 0; i < 50; i++) cuts = withCut(cuts, judge({ lastSeenMs: NOON + i }), NOON + i);
  expect(cuts).toHaveLength(20);
  expect(cuts.at(-1)?.resumedAt).toBe(new Date(NOON + 49).toISOString());
});
