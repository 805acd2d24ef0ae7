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
 */
export function planRetention({ entries, policy, inUse }: RetentionRequest): RetentionEntry[] {
  const newestFirst = [...entries].sort((a, b) => b.sequence - a.sequence || b.claim - a.claim);
  const readable = newestFirst.filter((entry) => entry.readable);
  const always = withBases(
    newestFirst.filter((entry) => isAlwaysKept(entry, readable, inUse)),
    newestFirst,
  );
  const kept = withBases([...always, ...readable.slice(0, Math.max(1, policy.keep))], newestFirst);
  dropToBudget(kept, always, newestFirst, policy.maxBytes);
  const newestVerified = readable.find(({ verified }) => verified);
  if (newestVerified === undefined) return [];
  return newestFirst.filter((entry) => !kept.has(entry) && isOlder(entry, newestVerified)).reverse();
}

function isAlwaysKept(entry: RetentionEntry, readable: readonly RetentionEntry[], inUse: ReadonlySet<number>): boolean {
  const verified = readable.filter((other) => other.verified).slice(0, VERIFIED_KEPT);
  return (
    !entry.readable ||
    entry === readable[0] ||
    entry === readable.find(isBest) ||
    entry === readable.find((other) => other.verified && isBest(other)) ||
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
  newestFirst: readonly RetentionEntry[],
  maxBytes: number | null,
): void {
  if (maxBytes === null) return;
  let bytes = [...kept].reduce((sum, entry) => sum + entry.bytes, 0);
  for (const entry of [...newestFirst].reverse()) {
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
