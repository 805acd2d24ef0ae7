import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planRetention, type RetentionEntry, type RetentionRequest } from '../../src/checkpoint/retention.ts';

const request: fc.Arbitrary<RetentionRequest> = fc
  .record({
    entries: fc.array(
      fc.record({
        verified: fc.boolean(),
        readable: fc.boolean(),
        best: fc.boolean(),
        setAside: fc.boolean(),
        bytes: fc.nat(100),
        base: fc.option(fc.integer({ min: 1, max: 12 })),
      }),
      { maxLength: 12 },
    ),
    keep: fc.integer({ min: 1, max: 6 }),
    maxBytes: fc.option(fc.nat(400)),
    inUse: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
    order: fc.infiniteStream(fc.nat()),
  })
  .map(({ entries, keep, maxBytes, inUse, order }) => ({
    entries: shuffled(
      entries.map(({ best, base, ...entry }, index) => ({
        ...entry,
        path: `checkpoint_${index + 1}`,
        sequence: index + 1,
        claim: 1,
        kinds: best ? ['auto', 'best'] : ['auto'],
        base: base !== null && base <= index ? base : null,
      })),
      order,
    ),
    policy: { keep, maxBytes },
    inUse: new Set(inUse),
  }));

function shuffled<T>(items: T[], order: Iterable<number>): T[] {
  const keys = order[Symbol.iterator]();
  return items
    .map((item) => ({ item, key: keys.next().value ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** The property for each plan: what is removed and what stays, newest first. */
function holds(
  check: (removed: Set<RetentionEntry>, newestFirst: RetentionEntry[], request: RetentionRequest) => void,
) {
  fc.assert(
    fc.property(request, (one) => {
      const newestFirst = [...one.entries].sort((a, b) => b.sequence - a.sequence);
      check(new Set(planRetention(one)), newestFirst, one);
    }),
    { numRuns: 500 },
  );
}

const live = (entries: readonly RetentionEntry[]): RetentionEntry[] =>
  entries.filter(({ readable, setAside }) => readable && !setAside);
const left = (entries: readonly RetentionEntry[]): RetentionEntry[] =>
  entries.filter(({ readable, setAside }) => readable && setAside);

/** What stays whatever the policy, of what can be read and is not in use. */
function alwaysKept(newestFirst: readonly RetentionEntry[]): (RetentionEntry | undefined)[] {
  const bests = [...live(newestFirst), ...left(newestFirst)].filter(({ kinds }) => kinds.includes('best'));
  return [
    live(newestFirst)[0],
    left(newestFirst)[0],
    bests[0],
    bests.find(({ verified }) => verified),
    ...live(newestFirst)
      .filter(({ verified }) => verified)
      .slice(0, 2),
  ];
}

test('the newest, the newest best, the last two verified, what is in use or unreadable always stay', () => {
  holds((removed, newestFirst, { inUse }) => {
    const stay = [
      ...alwaysKept(newestFirst),
      ...newestFirst.filter((entry) => inUse.has(entry.sequence) || !entry.readable),
    ];
    for (const entry of stay) if (entry !== undefined) expect(removed.has(entry)).toBe(false);
  });
});

test('nothing goes unless a newer one is verified that can be gone on from', () => {
  holds((removed, newestFirst) => {
    for (const entry of removed) {
      const newer = live(newestFirst).filter(({ sequence }) => sequence > entry.sequence);
      expect(newer.some(({ verified }) => verified)).toBe(true);
    }
  });
});

test('the base of whatever stays stays', () => {
  holds((removed, newestFirst) => {
    for (const entry of newestFirst) {
      if (removed.has(entry) || entry.base === null) continue;
      const base = newestFirst.find(({ sequence }) => sequence === entry.base);
      if (base !== undefined) expect(removed.has(base)).toBe(false);
    }
  });
});

test('without a byte budget the newest `keep` stay, and all else goes that may', () => {
  holds((removed, newestFirst, one) => {
    if (one.policy.maxBytes !== null) return;
    const newest = [...live(newestFirst), ...left(newestFirst)].slice(0, one.policy.keep);
    for (const entry of newest) expect(removed.has(entry)).toBe(false);
    const newestVerified = live(newestFirst).find(({ verified }) => verified)?.sequence ?? 0;
    const stayed = newestFirst.filter((entry) => !removed.has(entry));
    for (const entry of stayed) {
      const needed =
        newest.includes(entry) ||
        !entry.readable ||
        one.inUse.has(entry.sequence) ||
        entry.sequence >= newestVerified ||
        stayed.some(({ base }) => base === entry.sequence) ||
        alwaysKept(newestFirst).includes(entry);
      expect(needed).toBe(true);
    }
  });
});

const entryOf = (sequence: number, more: Partial<RetentionEntry> = {}): RetentionEntry => ({
  path: String(sequence),
  sequence,
  claim: 1,
  kinds: [],
  verified: true,
  readable: true,
  bytes: 10,
  base: null,
  setAside: false,
  ...more,
});
const planned = (entries: readonly RetentionEntry[], keep: number, maxBytes: number | null = null): number[] =>
  planRetention({ entries, policy: { keep, maxBytes }, inUse: new Set() }).map(({ sequence }) => sequence);

test('what was set aside takes no place of what can be gone on from, and goes before it', () => {
  const aside = [4, 5, 6, 7, 8].map((sequence) => entryOf(sequence, { setAside: true }));
  const back = [1, 2, 3].map((sequence) => entryOf(sequence));
  expect(planned([...back, ...aside], 2)).toEqual([1]);
  const on = [...back, ...aside, entryOf(9), entryOf(10)];
  expect(planned(on, 4)).toEqual([1, 4, 5, 6, 7]);
  expect(planned(on, 7)).toEqual([4, 5, 6]);
  expect(planned(on, 20, 60)).toEqual([4, 5, 6, 7]);
});

test('what is too new to go keeps what it is a delta of', () => {
  expect(
    planned([entryOf(1), entryOf(2), entryOf(3, { verified: false, base: 1 }), entryOf(4, { verified: false })], 1),
  ).toEqual([]);
});

test('a byte budget removes the oldest first, down to what always stays', () => {
  const entries = [1, 2, 3, 4, 5].map((sequence) => entryOf(sequence));
  const plan = (maxBytes: number | null): number[] => planned(entries, 5, maxBytes);
  expect(plan(null)).toEqual([]);
  expect(plan(50)).toEqual([]);
  expect(plan(45)).toEqual([1]);
  expect(plan(30)).toEqual([1, 2]);
  expect(plan(0)).toEqual([1, 2, 3]);
});

test('a budget only ever removes more', () => {
  holds((removed, _, one) => {
    const without = planRetention({ ...one, policy: { ...one.policy, maxBytes: null } });
    for (const entry of without) expect(removed.has(entry)).toBe(true);
  });
});
