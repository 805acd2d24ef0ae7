/**
 * Brings the index up to date with the directories, which are the truth: after the database was lost, and for what
 * was committed while nobody told the index. Nothing in a directory is changed.
 */
import { join, resolve } from 'node:path';
import type { StoreFiles } from '../checkpoint/files.ts';
import { QUARANTINE, sequenceInName } from '../checkpoint/layout.ts';
import { listCheckpoints, listPlace } from '../checkpoint/list.ts';
import { readSessionFile } from '../checkpoint/session-file.ts';
import { errnoOf, NkatError } from '../errors.ts';
import type { SessionsDatabase } from '../sessions/database.ts';
import { isDatabaseError } from '../sessions/sqlite-errors.ts';
import { readAhead } from './read-ahead.ts';
import { type Candidate, changeOf, factOf, lookAtRoot, type RootLook } from './reindex-look.ts';
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
  /** Threads read ahead where there is much to read: for who has nothing else to do meanwhile. */
  readonly ahead?: boolean;
  /** Wall clock in ms; default: the system's. */
  readonly now?: () => number;
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
  const found = change === null ? null : await readSession(sessions, files, resolve(root), id, change.text);
  if (found === null) return false;
  const plan = planOf(sessions, found);
  await sessions.write((tables) => applyReindexPlan(tables, plan));
  return true;
}

/**
 * Brings one session's rows up to date where its directory has changed since it was read: before it is shown or used,
 * whatever {@link reindexRoots} passed over.
 * @throws NkatError `io`, `format-newer` when the directory cannot be read
 */
export async function refreshSession(
  sessions: SessionsDatabase,
  files: StoreFiles,
  root: string,
  id: string,
): Promise<void> {
  const change = changeOf(join(resolve(root), id));
  if (change === null || sessions.sessions.indexedChange(id) === change.text) return;
  await reindexSession(sessions, files, root, id);
}

/**
 * Brings the index up to date with all roots; see `lookAtRoot` for what is looked at. A root that is not there (an
 * unmounted disk) changes nothing.
 */
export async function reindexRoots(
  sessions: SessionsDatabase,
  files: StoreFiles,
  roots: readonly string[],
  options: ReindexOptions = {},
): Promise<ReindexReport> {
  const nowMs = (options.now ?? Date.now)();
  const everything = options.everything ?? false;
  const looks = [...new Set(roots.map((path) => resolve(path)))].flatMap(
    (root) => lookAtRoot(sessions, root, { everything, nowMs }) ?? [],
  );
  const candidates = looks.flatMap((look) => look.candidates);
  const directories = options.ahead === true ? candidates.map(({ root, id }) => join(root, id)) : [];
  const ahead = readAhead(directories, true);
  try {
    const report = await indexLooks(sessions, files, looks, (done, total) => {
      ahead.reached(done);
      options.onProgress?.(done, total);
    });
    return { ...report, absent: looks.flatMap(({ absent }) => absent) };
  } finally {
    await ahead.close();
  }
}

/** Reads and writes what was found, and remembers the roots of which nothing was left out. */
export async function indexLooks(
  sessions: SessionsDatabase,
  files: StoreFiles,
  looks: readonly RootLook[],
  onProgress?: ReindexOptions['onProgress'],
): Promise<Omit<ReindexReport, 'absent'>> {
  const work = looks.flatMap(({ candidates }) => candidates);
  const indexed: string[] = [];
  const problems: { path: string; reason: string }[] = [];
  /** Roots with a directory that is not in the index: it may become a session without the root's changing. */
  const incomplete = new Set<string>();
  for (let start = 0; start < work.length; start += BATCH) {
    const plans: ReindexPlan[] = [];
    await eachAtOnce(work.slice(start, start + BATCH), async ({ root, id, change }: Candidate) => {
      try {
        const found = await readSession(sessions, files, root, id, change);
        if (found === null) incomplete.add(root);
        else plans.push(planOf(sessions, found));
      } catch (error) {
        // One directory that cannot be read must not hide the others. The index itself is no directory.
        if (isDatabaseError(error) || (!(error instanceof NkatError) && errnoOf(error) === null)) throw error;
        incomplete.add(root);
        problems.push({ path: join(root, id), reason: error instanceof Error ? error.message : String(error) });
      }
    });
    if (plans.length > 0) {
      await sessions.write((tables) => {
        for (const plan of plans) applyReindexPlan(tables, plan);
      });
    }
    indexed.push(...plans.map(({ id }) => id));
    onProgress?.(Math.min(start + BATCH, work.length), work.length);
  }
  const listed = looks.filter(({ root, listed }) => listed !== null && !incomplete.has(root));
  if (listed.length > 0) {
    await sessions.write(({ facts }) => {
      for (const { root, listed: change } of listed) if (change !== null) facts.set(factOf(root), change);
    });
  }
  return { indexed, problems };
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
