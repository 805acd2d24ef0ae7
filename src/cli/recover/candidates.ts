/** Every session of this machine that could be brought back, and why the others are left alone. */
import { nodeFiles } from '../../checkpoint/files.ts';
import { relationOf } from '../../checkpoint/process-identity.ts';
import { NkatError } from '../../errors.ts';
import { chooseRecovery } from '../../power/recovery-choice.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import type { SessionRow } from '../../sessions/types.ts';
import { aboutDuration } from '../../units.ts';
import { type LocatedSession, locateSession } from '../located-session.ts';
import { aboutAge } from '../render/quantities.ts';
import { ownWatch, type Watch } from '../session-state.ts';

export interface RecoveryCandidate {
  readonly session: LocatedSession;
  readonly action: 'resume' | 'adopt';
}

export interface LeftSession {
  readonly row: SessionRow;
  readonly state: string;
  readonly reason: string;
  /** Why it could not even be looked at; null: it was left on purpose. */
  readonly error: NkatError | null;
  /** Only its age speaks against it: that is told to everybody, with what brings it back. */
  readonly isTooOld: boolean;
}

export interface RecoveryPlan {
  /** In the order in which they were begun. */
  readonly candidates: readonly RecoveryCandidate[];
  readonly left: readonly LeftSession[];
}

/** Who may have been interrupted: what was running when it was last heard of, and what was stopped for want of power. */
const INTERRUPTIBLE: ReadonlySet<string> = new Set(['running', 'orphaned', 'interrupted']);

export interface AgeLimit {
  /** Null: none. */
  readonly maxAgeMs: number | null;
  /** Wall clock, in ms. */
  readonly nowMs: number;
}

export async function planRecovery(database: SessionsDatabase, age: AgeLimit): Promise<RecoveryPlan> {
  const watch = ownWatch();
  const candidates: RecoveryCandidate[] = [];
  const left: LeftSession[] = [];
  for (const row of database.sessions.list().reverse()) {
    if (!INTERRUPTIBLE.has(row.state)) continue;
    const located = await tryToLocate(row, watch);
    if (located instanceof NkatError) {
      left.push({ row, state: row.state, reason: located.message, error: located, isTooOld: false });
      continue;
    }
    const silentMs = age.nowMs - Date.parse(row.updatedAt);
    const facts = factsOf(located, database, watch);
    const choice = chooseRecovery({ ...facts, silentMs, maxAgeMs: age.maxAgeMs });
    const { state } = located.present;
    if (choice.kind === 'too-old') {
      left.push({ row, state, reason: tooOldText(silentMs, age.maxAgeMs ?? 0), error: null, isTooOld: true });
    } else if (choice.kind !== 'leave') candidates.push({ session: located, action: choice.kind });
    else if (choice.reason !== null) left.push({ row, state, reason: choice.reason, error: null, isTooOld: false });
  }
  return { candidates, left };
}

function tooOldText(silentMs: number, maxAgeMs: number): string {
  return `it was last heard of ${aboutAge(silentMs)} ago, which is more than --max-age (${aboutDuration(maxAgeMs)})`;
}

/** One session that cannot be read must not keep the others from coming back. */
async function tryToLocate(row: SessionRow, watch: Watch): Promise<LocatedSession | NkatError> {
  try {
    return await locateSession(nodeFiles, row, watch);
  } catch (error) {
    if (error instanceof NkatError) return error;
    throw error;
  }
}

function factsOf({ row, file, owner, present }: LocatedSession, database: SessionsDatabase, { self }: Watch) {
  const newest = database.sessions.newestByIdentity(row);
  const isElsewhere = owner !== null && relationOf(owner, self) === 'elsewhere';
  return {
    state: present.state,
    recorded: file?.state ?? row.state,
    stoppedBy: file?.stoppedBy ?? null,
    ownerRole: owner?.role ?? null,
    elsewhere: isElsewhere ? owner.host : null,
    supersededBy: newest === null || newest.id === row.id ? null : newest.id,
  };
}
