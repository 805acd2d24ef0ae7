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

test('the newest, the newest best, the last two verified, what is in use or unreadable always stay', () => {
  holds((removed, newestFirst, { inUse }) => {
    const readable = newestFirst.filter((entry) => entry.readable);
    const stay = [
      readable[0],
      readable.find(({ kinds }) => kinds.includes('best')),
      readable.find(({ kinds, verified }) => verified && kinds.includes('best')),
      ...readable.filter(({ verified }) => verified).slice(0, 2),
      ...newestFirst.filter((entry) => inUse.has(entry.sequence) || !entry.readable),
    ];
    for (const entry of stay) if (entry !== undefined) expect(removed.has(entry)).toBe(false);
  });
});

test('nothing goes unless a newer one is verified', () => {
  holds((removed, newestFirst) => {
    for (const entry of removed) {
      const newer = newestFirst.filter(({ sequence }) => sequence > entry.sequence);
      expect(newer.some(({ verified, readable }) => verified && readable)).toBe(true);
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
    const newest = newestFirst.filter(({ readable }) => readable).slice(0, one.policy.keep);
    for (const entry of newest) expect(removed.has(entry)).toBe(false);
    const newestVerified = newestFirst.find(({ verified, readable }) => verified && readable)?.sequence ?? 0;
    const stayed = newestFirst.filter((entry) => !removed.has(entry));
    for (const entry of stayed) {
      const needed =
        newest.includes(entry) ||
        !entry.readable ||
        one.inUse.has(entry.sequence) ||
        entry.sequence >= newestVerified ||
        stayed.some(({ base }) => base === entry.sequence) ||
        newestFirst.filter(({ verified, readable }) => verified && readable).indexOf(entry) === 1 ||
        newestFirst.find(({ kinds, readable }) => readable && kinds.includes('best')) === entry ||
        newestFirst.find(({ kinds, readable, verified }) => readable && verified && kinds.includes('best')) === entry;
      expect(needed).toBe(true);
    }
  });
});

test('a byte budget removes the oldest first, down to what always stays', () => {
  const entry = (sequence: number): RetentionEntry => ({
    path: String(sequence),
    sequence,
    claim: 1,
    kinds: [],
    verified: true,
    readable: true,
    bytes: 10,
    base: null,
  });
  const entries = [1, 2, 3, 4, 5].map(entry);
  const plan = (maxBytes: number | null): number[] =>
    planRetention({ entries, policy: { keep: 5, maxBytes }, inUse: new Set() }).map(({ sequence }) => sequence);
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
