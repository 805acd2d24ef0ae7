/**
 * Brings the index up to date with the directories, which are the truth: after the database was lost, and for what
 * was committed while nobody told the index. Nothing in a directory is changed.
 */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { StoreFiles } from '../checkpoint/files.ts';
import { QUARANTINE, sequenceInName } from '../checkpoint/layout.ts';
import { listCheckpoints, listPlace } from '../checkpoint/list.ts';
import { readSessionFile } from '../checkpoint/session-file.ts';
import { errnoOf, NkatError } from '../errors.ts';
import type { SessionsDatabase } from '../sessions/database.ts';
import { applyReindexPlan, type FoundSession, planReindex, type ReindexPlan } from './reindex-plan.ts';

/** Directories that are read at the same time. */
const AT_ONCE = 8;
/** Sessions written in one transaction. */
const BATCH = 100;

export interface ReindexReport {
  /** Sessions whose rows were written. */
  readonly indexed: readonly string[];
  /** Sessions of the index whose directories are not there; their rows stay. */
  readonly absent: readonly string[];
  /** Directories that could not be read or contradict themselves; they are passed over. */
  readonly problems: readonly { readonly path: string; readonly reason: string }[];
}

export interface ReindexOptions {
  /** Reads every directory again, also of completed sessions and where nothing seems changed. */
  readonly everything?: boolean;
  /** Called as sessions are written. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Reads one session's directory and writes what the index does not say yet.
 * @returns false when there is no such session under the root
 * @throws NkatError `io`, `format-newer` when the directory cannot be read
 */
export async function reindexSession(
  sessions: SessionsDatabase,
  files: StoreFiles,
  root: string,
  id: string,
): Promise<boolean> {
  const directory = join(resolve(root), id);
  const change = changeOf(directory);
  const found = change === null ? null : await readSession(sessions, files, resolve(root), id, change);
  if (found === null) return false;
  const plan = planOf(sessions, found);
  await sessions.write((tables) => applyReindexPlan(tables, plan));
  return true;
}

/**
 * Brings the index up to date with all roots. Cheap when nothing changed: one listing a root, and one stat a session
 * that has not completed. A root that is not there (an unmounted disk) changes nothing.
 */
export async function reindexRoots(
  sessions: SessionsDatabase,
  files: StoreFiles,
  roots: readonly string[],
  options: ReindexOptions = {},
): Promise<ReindexReport> {
  const indexed: string[] = [];
  const absent: string[] = [];
  const problems: { path: string; reason: string }[] = [];
  const work: Candidate[] = [];
  for (const root of new Set(roots.map((path) => resolve(path)))) {
    const look = lookAt(sessions, root, options.everything ?? false);
    if (look === null) continue;
    work.push(...look.candidates);
    absent.push(...look.absent);
  }
  for (let start = 0; start < work.length; start += BATCH) {
    const plans: ReindexPlan[] = [];
    await eachAtOnce(work.slice(start, start + BATCH), async ({ root, id, change }) => {
      try {
        const found = await readSession(sessions, files, root, id, change);
        if (found !== null) plans.push(planOf(sessions, found));
      } catch (error) {
        // One directory that cannot be read must not hide the others.
        if (!(error instanceof NkatError) && errnoOf(error) === null) throw error;
        problems.push({ path: join(root, id), reason: error instanceof Error ? error.message : String(error) });
      }
    });
    if (plans.length > 0) {
      await sessions.write((tables) => {
        for (const plan of plans) applyReindexPlan(tables, plan);
      });
    }
    indexed.push(...plans.map(({ id }) => id));
    options.onProgress?.(Math.min(start + BATCH, work.length), work.length);
  }
  return { indexed, absent, problems };
}

interface Candidate {
  readonly root: string;
  readonly id: string;
  readonly change: string;
}

/** Which sessions of a root want to be read; null where the root itself is not there. */
function lookAt(
  sessions: SessionsDatabase,
  root: string,
  everything: boolean,
): { candidates: Candidate[]; absent: string[] } | null {
  let names: string[];
  try {
    names = readdirSync(root);
  } catch (error) {
    // Not there, not ours to read, or its disk is gone: says nothing about the sessions.
    if (errnoOf(error) === null) throw error;
    return null;
  }
  const known = sessions.sessions.indexedUnder(root);
  const candidates: Candidate[] = [];
  for (const id of names) {
    const row = known.get(id);
    known.delete(id);
    if (id.startsWith('.') || (row?.state === 'completed' && row.change !== null && !everything)) continue;
    const change = changeOf(join(root, id));
    if (change !== null && (everything || row?.change !== change)) candidates.push({ root, id, change });
  }
  return { candidates, absent: [...known.keys()] };
}

/**
 * What changes whenever a checkpoint or `session.json` is put into, or taken out of, a directory; null: no directory.
 * Synchronous, because it is asked of thousands and takes microseconds.
 */
function changeOf(directory: string): string | null {
  const found = statSync(directory, { bigint: true, throwIfNoEntry: false });
  return found?.isDirectory() ? `${found.ino}:${found.mtimeNs}` : null;
}

async function readSession(
  sessions: SessionsDatabase,
  files: StoreFiles,
  root: string,
  id: string,
  change: string,
): Promise<FoundSession | null> {
  const directory = join(root, id);
  const known = sessions.sessions.find(id);
  if (known !== null && known.root !== root && changeOf(join(known.root, id)) !== null) {
    throw new NkatError(`it is a copy: session ${id} lives under ${known.root}`, {
      code: 'io',
      operation: 'index the session',
      path: directory,
    });
  }
  const file = await readSessionFile(files, directory);
  if (file !== null && file.id !== id) {
    throw new NkatError(`its session.json is that of session ${file.id}`, {
      code: 'io',
      operation: 'index the session',
      path: directory,
    });
  }
  const backups = file?.backups ?? known?.backups ?? '';
  const entries = await listCheckpoints(files, { session: id, directory, backups });
  if (file === null && entries.length === 0) return null;
  const quarantined = (await listPlace(files, join(directory, QUARANTINE), 'session')).map((entry) => ({
    ...entry,
    // A second one of the same name has a suffix, and its manifest may be what is damaged.
    sequence: entry.manifest?.sequence ?? sequenceInName(entry.name) ?? entry.sequence,
  }));
  const own = (entry: { readonly manifest: { readonly session: string } | null }) =>
    entry.manifest === null || entry.manifest.session === id;
  return { id, root, file, backups, entries: entries.filter(own), quarantined: quarantined.filter(own), change };
}

function planOf(sessions: SessionsDatabase, found: FoundSession): ReindexPlan {
  return planReindex(found, {
    session: sessions.sessions.find(found.id),
    attempts: sessions.attempts.ofSession(found.id),
    checkpoints: sessions.checkpoints.ofSession(found.id),
  });
}

/** Runs the work of a list, a bounded number at a time. */
async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const lane = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
