import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type PrunableEntry,
  type PrunableSession,
  type PruneRules,
  planPrune,
} from '../../src/checkpoint/prune-plan.ts';

const HOUR = 3_600_000;

function entry(session: string, sequence: number, more: Partial<PrunableEntry> = {}): PrunableEntry {
  return {
    path: `/${session}/${sequence}`,
    sequence,
    claim: 1,
    kinds: ['auto'],
    verified: true,
    readable: true,
    bytes: 100,
    base: null,
    setAside: false,
    createdMs: sequence * HOUR,
    ...more,
  };
}

function session(name: string, count: number, more: Partial<PrunableSession> = {}): PrunableSession {
  const entries = Array.from({ length: count }, (_, index) => entry(name, index + 1));
  return { session: name, entries, inUse: new Set(), mayChange: true, ...more };
}

const RULES: PruneRules = { keep: null, keepBytes: null, before: null };
const removed = (sessions: readonly PrunableSession[], rules: Partial<PruneRules>) =>
  planPrune(sessions, { ...RULES, ...rules }).removals.map(
    ({ session: name, entry: { sequence } }) => `${name}${sequence}`,
  );

test('without rules the newest five of each session stay', () => {
  expect(removed([session('a', 7), session('b', 6)], {})).toEqual(['a1', 'b1', 'a2']);
});

test('an age alone leaves what is younger and the last two verified', () => {
  expect(removed([session('a', 6)], { before: 3 * HOUR })).toEqual(['a1', 'a2']);
  expect(removed([session('a', 3)], { before: 100 * HOUR })).toEqual(['a1']);
});

test('a budget over all sessions takes the oldest of all first and stops when it is kept', () => {
  const sessions = [session('a', 5), session('b', 5)];
  expect(removed(sessions, { keepBytes: 700 })).toEqual(['a1', 'b1', 'a2']);
  expect(removed(sessions, { keepBytes: 2_000 })).toEqual([]);
});

test('a session in use keeps all that it has, which counts against the budget', () => {
  const sessions = [session('live', 5, { mayChange: false }), session('b', 5)];
  const plan = planPrune(sessions, { ...RULES, keepBytes: 0 });
  expect(plan.removals.map(({ session: name }) => name)).toEqual(['b', 'b', 'b']);
  expect(plan.remainingBytes).toBe(700);
});

test('pinned, best and in use stay whatever is asked', () => {
  const a = session('a', 8, { inUse: new Set([1]) });
  const entries = a.entries.map((one) => (one.sequence === 3 ? { ...one, kinds: ['auto', 'best'] } : one));
  expect(removed([{ ...a, entries }], { keep: 1, before: 1_000 * HOUR })).toEqual(['a2', 'a4', 'a5', 'a6']);
});

test('stopping at a budget never takes the base of a delta that stays', () => {
  const entries = [entry('a', 1), entry('a', 2, { base: 1 }), entry('a', 3), entry('a', 4), entry('a', 5)];
  expect(removed([session('a', 0, { entries })], { keepBytes: 400 })).toEqual([]);
  expect(removed([session('a', 0, { entries })], { keepBytes: 300 })).toEqual(['a1', 'a2']);
});

test('whatever is asked, two verified ones of every session stay, and nothing newer than the newest verified goes', () => {
  const entries = fc.array(fc.record({ verified: fc.boolean(), readable: fc.boolean(), bytes: fc.nat(1000) }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(
      entries,
      fc.option(fc.integer({ min: 1, max: 6 })),
      fc.option(fc.nat(3000)),
      fc.option(fc.nat(12)),
      (some, keep, keepBytes, hours) => {
        const made = some.map((more, index) => entry('a', index + 1, more));
        const before = hours === null ? null : hours * HOUR;
        const plan = planPrune([session('a', 0, { entries: made })], { keep, keepBytes, before });
        const gone = new Set(plan.removals.map(({ entry: { sequence } }) => sequence));
        const verified = made.filter((one) => one.verified && one.readable).map(({ sequence }) => sequence);
        for (const sequence of verified.slice(-2)) expect(gone.has(sequence)).toBe(false);
        for (const sequence of gone) expect(sequence).toBeLessThan(verified.at(-1) ?? -1);
      },
    ),
  );
});
