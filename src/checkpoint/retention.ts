/** Which checkpoints may go. Pure: what must never be deleted is decided here, in one place. */
import type { RetentionPolicy } from './types.ts';

export interface RetentionEntry {
  readonly path: string;
  readonly sequence: number;
  readonly claim: number;
  readonly kinds: readonly string[];
  /** Read back and found whole. */
  readonly verified: boolean;
  /** False where the manifest is missing, damaged or newer than this release: never touched here. */
  readonly readable: boolean;
  readonly bytes: number;
  /** Sequence of the checkpoint that this one is a delta of; null: none. */
  readonly base: number | null;
  /** True for what the next launch would pass over: crashes follow it, or the operator went back to before it. */
  readonly setAside: boolean;
}

export interface RetentionRequest {
  readonly entries: readonly RetentionEntry[];
  readonly policy: RetentionPolicy;
  /** Sequences of resume point and pins. */
  readonly inUse: ReadonlySet<number>;
}

/** How many of the newest verified ones always stay. */
const VERIFIED_KEPT = 2;

/**
 * The entries to remove, oldest first. Always kept: the newest, the newest `best` and, while that is not verified,
 * the newest `best` that is, the last two verified, what is in use or cannot be read, and the bases of all that is kept. The newest `keep` are kept too, as far as the byte budget
 * goes. Nothing is removed before a newer one is verified.
 *
 * What was set aside is no place to go on from, so it takes no place of what is: it fills what `keep` leaves free. Its newest
 * stays, so that the way back to a branch that was left is not lost unasked.
 */
export function planRetention({ entries, policy, inUse }: RetentionRequest): RetentionEntry[] {
  const newestFirst = [...entries].sort((a, b) => b.sequence - a.sequence || b.claim - a.claim);
  const readable = newestFirst.filter((entry) => entry.readable);
  const live = readable.filter((entry) => !entry.setAside);
  const left = readable.filter((entry) => entry.setAside);
  const newestVerified = live.find(({ verified }) => verified);
  if (newestVerified === undefined) return [];
  const always = withBases(
    newestFirst.filter((entry) => !isOlder(entry, newestVerified) || isAlwaysKept(entry, live, left, inUse)),
    newestFirst,
  );
  const inOrder = [...live, ...left];
  const kept = withBases([...always, ...inOrder.slice(0, Math.max(1, policy.keep))], newestFirst);
  dropToBudget(kept, always, inOrder, policy.maxBytes);
  return newestFirst.filter((entry) => !kept.has(entry)).reverse();
}

/** @param live what can be gone on from, newest first @param left what was set aside, newest first */
function isAlwaysKept(
  entry: RetentionEntry,
  live: readonly RetentionEntry[],
  left: readonly RetentionEntry[],
  inUse: ReadonlySet<number>,
): boolean {
  const verified = live.filter((other) => other.verified).slice(0, VERIFIED_KEPT);
  // While this branch has no best of its own, that of the one that was left is the best there is.
  const bests = [...live, ...left].filter(isBest);
  return (
    !entry.readable ||
    entry === live[0] ||
    entry === left[0] ||
    entry === bests[0] ||
    entry === bests.find((other) => other.verified) ||
    verified.includes(entry) ||
    inUse.has(entry.sequence)
  );
}

function isBest({ kinds }: RetentionEntry): boolean {
  return kinds.includes('best');
}

/** The entries and all that they are deltas of. */
function withBases(entries: readonly RetentionEntry[], all: readonly RetentionEntry[]): Set<RetentionEntry> {
  const kept = new Set(entries);
  // A set that grows while it is walked is walked to its end.
  for (const { base } of kept) {
    if (base !== null) for (const other of all) if (other.sequence === base) kept.add(other);
  }
  return kept;
}

function dropToBudget(
  kept: Set<RetentionEntry>,
  always: ReadonlySet<RetentionEntry>,
  inOrder: readonly RetentionEntry[],
  maxBytes: number | null,
): void {
  if (maxBytes === null) return;
  let bytes = [...kept].reduce((sum, entry) => sum + entry.bytes, 0);
  for (const entry of [...inOrder].reverse()) {
    if (bytes <= maxBytes) return;
    const isBase = [...kept].some((other) => other !== entry && other.base === entry.sequence);
    if (!kept.has(entry) || always.has(entry) || isBase) continue;
    kept.delete(entry);
    bytes -= entry.bytes;
  }
}

function isOlder(entry: RetentionEntry, than: RetentionEntry): boolean {
  return entry.sequence < than.sequence || (entry.sequence === than.sequence && entry.claim < than.claim);
}
