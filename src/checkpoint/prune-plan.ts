/** What an operator's `prune` takes away. Pure: retention decides what may go, age and budget what of it does. */
import { planRetention, type RetentionEntry } from './retention.ts';

export interface PruneRules {
  /** Newest checkpoints of each session that stay. Null: as few as retention allows where age or budget decide, else 5. */
  readonly keep: number | null;
  /** Bytes that the checkpoints of all these sessions together may take. Null: no budget. */
  readonly keepBytes: number | null;
  /** Only checkpoints made before this moment go; ms of the wall clock. Null: of any age. */
  readonly before: number | null;
}

export interface PrunableEntry extends RetentionEntry {
  /** Ms of the wall clock; null where the manifest cannot be read. */
  readonly createdMs: number | null;
}

export interface PrunableSession {
  readonly session: string;
  readonly entries: readonly PrunableEntry[];
  /** Sequences of resume point and pins. */
  readonly inUse: ReadonlySet<number>;
  /** False: it is being trained, or cannot be claimed; what it holds counts against the budget and stays. */
  readonly mayChange: boolean;
}

export interface PlannedRemoval {
  readonly session: string;
  readonly entry: PrunableEntry;
}

export interface PrunePlan {
  /** Oldest first. */
  readonly removals: readonly PlannedRemoval[];
  /** Bytes of all checkpoints that stay. */
  readonly remainingBytes: number;
}

/** Source: design section 6, "Retention (default newest 5)". */
export const KEEP_DEFAULT = 5;

export function planPrune(sessions: readonly PrunableSession[], rules: PruneRules): PrunePlan {
  const total = sessions.flatMap(({ entries }) => entries).reduce((sum, { bytes }) => sum + bytes, 0);
  const allowed = sessions
    .filter(({ mayChange }) => mayChange)
    .flatMap((session) => removableOf(session, rules).map((entry) => ({ session: session.session, entry })))
    .sort((a, b) => (a.entry.createdMs ?? 0) - (b.entry.createdMs ?? 0) || a.entry.sequence - b.entry.sequence);
  const chosen: PlannedRemoval[] = [];
  let remaining = total;
  for (const removal of allowed) {
    if (rules.keepBytes !== null && remaining <= rules.keepBytes) break;
    chosen.push(removal);
    remaining -= removal.entry.bytes;
  }
  const removals = withoutBases(chosen, sessions);
  const remainingBytes = total - removals.reduce((sum, { entry }) => sum + entry.bytes, 0);
  return { removals, remainingBytes };
}

function removableOf({ entries, inUse }: PrunableSession, rules: PruneRules): PrunableEntry[] {
  const { before } = rules;
  const keep = rules.keep ?? (rules.keepBytes === null && before === null ? KEEP_DEFAULT : 1);
  const removable = new Set<RetentionEntry>(planRetention({ entries, policy: { keep, maxBytes: null }, inUse }));
  return entries.filter(
    (entry) => removable.has(entry) && (before === null || (entry.createdMs !== null && entry.createdMs < before)),
  );
}

/** Stopping short of all that may go must not take the base of a delta that stays. */
function withoutBases(chosen: readonly PlannedRemoval[], sessions: readonly PrunableSession[]): PlannedRemoval[] {
  let removals = [...chosen];
  for (;;) {
    const gone = new Set<RetentionEntry>(removals.map(({ entry }) => entry));
    const bases = new Set(
      sessions.flatMap(({ session, entries }) =>
        entries.filter((entry) => !gone.has(entry) && entry.base !== null).map(({ base }) => `${session} ${base}`),
      ),
    );
    const safe = removals.filter(({ session, entry }) => !bases.has(`${session} ${entry.sequence}`));
    if (safe.length === removals.length) return removals;
    removals = safe;
  }
}
