/** What follows a commit in the background: read back, copy the best, rotate, empty the trash. */

import { join } from 'node:path';
import { errnoOf, messageOf, NkatError } from '../errors.ts';
import { backUp } from './backup.ts';
import { describeDamages } from './damage-text.ts';
import { isFenced } from './fence.ts';
import type { StoreFiles } from './files.ts';
import { parseBackupName, type StoreLayout } from './layout.ts';
import { listSession } from './list.ts';
import { listPins } from './pins.ts';
import { pruneQuarantine, quarantineCheckpoint } from './quarantine.ts';
import { planRetention } from './retention.ts';
import { retentionEntry } from './retention-entry.ts';
import { readSessionFile } from './session-file.ts';
import { namesIfAny } from './small-file.ts';
import { guarded, takesNoWrites } from './store-error.ts';
import { emptyTrash, moveToTrash } from './trash.ts';
import type { CheckpointEntry, Committed, RetentionPolicy, Verdict } from './types.ts';
import { whyUnreadable } from './unreadable.ts';
import { markVerified, removeMark } from './verified-marker.ts';
import { verifyCheckpoint } from './verify.ts';

export interface SettleRequest {
  readonly layout: StoreLayout;
  readonly committed: Committed;
  readonly retention: RetentionPolicy;
  /** Sequence that this launch resumed from: in use. Null: a fresh start. */
  readonly resumedFrom: number | null;
}

export interface Settled {
  readonly verdict: Verdict;
  /** Sequences that were rotated away. */
  readonly removed: readonly number[];
  /** Those that newer ones would have taken the place of, but that cannot be read for now: they stay. */
  readonly unreadable: readonly Unreadable[];
  /** Path of the backup that was made now; null: none was due, or see `backupProblem`. */
  readonly backup: string | null;
  /** Why a backup that was due was not made; it is tried again after the next commit. */
  readonly backupProblem: string | null;
  /** The newest best has its copy, made now or before. */
  readonly backupStands: boolean;
  /** Where the commit went when it does not verify. */
  readonly quarantinedTo: string | null;
}

export interface Unreadable {
  readonly sequence: number;
  readonly reason: string;
}

/** Up to this size the values are looked at too (level 2): it costs about 1 s per GiB. */
const LEVEL_2_BYTES = 256 * 1024 * 1024;

/**
 * Nothing is removed unless this very commit was read back whole, and nothing when another process owns the session
 * by now. A commit that does not verify is quarantined. @throws NkatError `io`, `no-space` when housekeeping fails;
 * the commit is as durable as before
 */
export function settleCommit(files: StoreFiles, request: SettleRequest): Promise<Settled> {
  const { layout, committed } = request;
  return guarded('settle the checkpoint', committed.path, async () => {
    const level = committed.bytes <= LEVEL_2_BYTES ? 2 : 1;
    const verdict = await verifyCheckpoint(files, committed.path, { session: layout.session, level });
    const noBackup = { backup: null, backupProblem: null, backupStands: false };
    const nothing: Settled = { verdict, removed: [], unreadable: [], ...noBackup, quarantinedTo: null };
    if (await isFenced(files, layout, committed.manifest.claim)) return nothing;
    if (verdict.status === 'damaged') {
      const reason = `found when it was read back: ${describeDamages(verdict.damages)}`;
      const quarantinedTo = await quarantineCheckpoint(files, layout, committed.path, reason);
      // A disk that damages whatever is written must not fill up with it while something else verifies.
      const isSafe = (await listSession(files, layout)).some((entry) => entry.verified && entry.manifest !== null);
      if (isSafe) await pruneQuarantine(files, layout.directory);
      return { ...nothing, quarantinedTo };
    }
    if (verdict.status !== 'verified') return nothing;
    const marked = await mark(files, committed.path, level);
    // Read back just now, whether or not there was room to note it.
    const entries = (await listSession(files, layout)).map((entry) =>
      entry.path === committed.path ? { ...entry, verified: true } : entry,
    );
    const backup = await backUpBest(files, layout, entries);
    const rotated = await rotate(files, request, entries);
    if (!marked) await mark(files, committed.path, level);
    return { ...nothing, ...backup, ...rotated };
  });
}

/** False where a full disk has no room even for the mark: the checkpoint is as good without, and rotation makes room. */
async function mark(files: StoreFiles, path: string, level: 1 | 2): Promise<boolean> {
  try {
    await markVerified(files, path, level);
    return true;
  } catch (error) {
    if (!takesNoWrites(error)) throw error;
    await removeMark(files, path);
    return false;
  }
}

/** The newest best, unless it has its copy: one that failed after an earlier commit is caught up. */
async function backUpBest(
  files: StoreFiles,
  layout: StoreLayout,
  entries: readonly CheckpointEntry[],
): Promise<Pick<Settled, 'backup' | 'backupProblem' | 'backupStands'>> {
  const best = entries.find(({ manifest }) => manifest?.kinds.includes('best'));
  if (best?.manifest == null) return { backup: null, backupProblem: null, backupStands: false };
  try {
    const stands = await hasBackup(files, layout, best.sequence);
    const backup = stands ? null : await backUp(files, layout, { path: best.path, manifest: best.manifest });
    return { backup, backupProblem: null, backupStands: true };
  } catch (error) {
    // Another disk's trouble must not keep this one from rotating; the caller says it.
    if (!(error instanceof NkatError) && errnoOf(error) === null) throw error;
    return { backup: null, backupProblem: messageOf(error), backupStands: false };
  }
}

/** One that cannot be read for now counts; one that is damaged by its manifest or its sizes is made again. */
async function hasBackup(files: StoreFiles, { backups, session }: StoreLayout, sequence: number): Promise<boolean> {
  const names = await namesIfAny(files, backups);
  const name = names.find((one) => parseBackupName(one)?.sequence === sequence);
  if (name === undefined) return false;
  const { status } = await verifyCheckpoint(files, join(backups, name), { session, level: 0 });
  return status !== 'damaged' && status !== 'gone';
}

async function rotate(
  files: StoreFiles,
  { layout, retention, resumedFrom }: SettleRequest,
  entries: readonly CheckpointEntry[],
): Promise<Pick<Settled, 'removed' | 'unreadable'>> {
  const inUse = new Set(await listPins(files, layout));
  if (resumedFrom !== null) inUse.add(resumedFrom);
  const setAside = await setAsideOf(files, layout);
  // Without knowing what may be gone on from, nothing goes.
  if (setAside === null) return { removed: [], unreadable: [] };
  const marked = entries.map((entry) => retentionEntry(entry, setAside));
  const leaving = new Set(planRetention({ entries: marked, policy: retention, inUse }).map(({ path }) => path));
  const removed: number[] = [];
  const unreadable: Unreadable[] = [];
  // Oldest first, as the plan has them.
  for (const entry of [...entries].reverse().filter(({ path }) => leaving.has(path))) {
    const { sequence, path } = entry;
    const reason = await whyUnreadable(files, entry, layout.session);
    if (reason !== null) unreadable.push({ sequence, reason });
    else {
      await moveToTrash(files, layout.directory, path);
      removed.push(sequence);
    }
  }
  await emptyTrash(files, layout.directory);
  await pruneQuarantine(files, layout.directory);
  return { removed, unreadable };
}

/**
 * Sequences that were set aside, as the session's record has them by now: its owner changes it while a worker trains. Null: it
 * cannot be read; what depends on it is caught up after a later commit.
 */
async function setAsideOf(files: StoreFiles, { directory }: StoreLayout): Promise<ReadonlySet<number> | null> {
  try {
    const file = await readSessionFile(files, directory);
    return new Set(file?.setAside.map(({ sequence }) => sequence));
  } catch (error) {
    if (!(error instanceof NkatError)) throw error;
    return null;
  }
}
