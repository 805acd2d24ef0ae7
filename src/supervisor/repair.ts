/**
 * Puts index and directories in order: a damaged database is set aside, each session's record and left-overs are mended,
 * and the index is made again from what the directories say. Checkpoints are never touched: what is damaged is told,
 * and quarantined by whoever resumes the session.
 */
import { join, resolve } from 'node:path';
import type { StoreFiles } from '../checkpoint/files.ts';
import { NkatError } from '../errors.ts';
import type { StateHome } from '../home.ts';
import type { SessionsDatabase } from '../sessions/database.ts';
import { inspectDatabase } from '../sessions/inspect-file.ts';
import { openSessions } from '../sessions/open.ts';
import { inodeAt } from '../sessions/open-file.ts';
import { setDatabaseAside } from '../sessions/set-aside.ts';
import { readAhead } from './read-ahead.ts';
import { reindexRoots } from './reindex.ts';
import type { RepairFinding } from './repair-finding.ts';
import { refuseWrongRoot, rootsOf, type SessionFolder, sessionsIn } from './repair-roots.ts';
import { repairSession } from './repair-session.ts';

/** What of it is going on: which folders are sessions, what is wrong with each, what the index says of them. */
export type RepairStage = 'folders' | 'sessions' | 'index';

export interface RepairRequest {
  readonly home: StateHome;
  /** One more root, to be registered. */
  readonly root: string | null;
  /** Only the directories of this session, by id, beginning of an id, name or latest; null: all. The index is brought up to date with all of them. */
  readonly session: string | null;
  readonly dryRun: boolean;
  readonly now: Date;
  readonly onFinding: (finding: RepairFinding) => void;
  readonly onProgress: (stage: RepairStage, done: number, total: number) => void;
}

export interface RepairReport {
  readonly sessions: number;
  readonly findings: readonly RepairFinding[];
}

/** @throws NkatError `database-newer`, `io` when the state home cannot be used, `session-not-found` */
export async function repair(files: StoreFiles, request: RepairRequest): Promise<RepairReport> {
  const { home, dryRun } = request;
  const findings: RepairFinding[] = [];
  const tell = (found: RepairFinding): void => {
    findings.push(found);
    request.onFinding(found);
  };
  if (request.root !== null) await refuseWrongRoot(files, resolve(request.root), home);
  const done: RepairFinding[] = [];
  const isWhole = repairDatabase(request, (found) => done.push(found));
  // In a dry run nothing may be made, so an index is read only where one stands.
  const database = dryRun && !isWhole ? null : openSessions(home.database).database;
  // Made again is what has been made: where the state home takes no file, that is refused and nothing was.
  for (const found of done) tell(found);
  try {
    const roots = await rootsOf(files, request, tell);
    const folders: SessionFolder[] = [];
    for (const root of roots) {
      folders.push(...(await sessionsIn(files, root, (looked, total) => request.onProgress('folders', looked, total))));
    }
    const sessions = await repairSessions(files, database, folders, request, tell);
    if (database !== null && !dryRun) {
      // What a disk refused was said: the same record again would read as if it were lost.
      const refused = new Set(findings.flatMap(({ what, path }) => (what === 'session-unreadable' ? [path] : [])));
      const ours = new Set(folders.map(({ root, id }) => join(root, id)));
      await rebuildIndex(files, database, roots, request, (found) => {
        const isForeign = found.what === 'directory-passed-over' && !ours.has(found.path);
        // Moved to another root: the index has followed it by now.
        const isMoved = found.what === 'directory-missing' && folders.some(({ id }) => id === found.path);
        if (!refused.has(found.path) && !isForeign && !isMoved) tell(found);
      });
    }
    return { sessions, findings };
  } finally {
    database?.close();
  }
}

/** @returns whether a whole one stands there already */
function repairDatabase({ home, dryRun, now }: RepairRequest, tell: (finding: RepairFinding) => void): boolean {
  const path = home.database;
  const inode = inodeAt(path);
  const condition = inspectDatabase(path);
  if (condition.kind === 'missing') {
    const fixed = dryRun ? 'would be made again from the directories' : 'made again from the directories';
    tell({ what: 'database-missing', path, message: 'there is no session database', fixed });
  } else if (condition.kind !== 'whole' && inodeAt(path) !== inode) {
    // Whoever lives in a session has found the same and put a new one here meanwhile: that one stays.
    return true;
  } else if (condition.kind !== 'whole') {
    const message =
      condition.kind === 'damaged'
        ? `the session database is damaged: ${condition.reason}`
        : 'a directory stands in place of the session database';
    const aside = dryRun ? null : setDatabaseAside(path, now);
    const fixed = dryRun
      ? 'would be set aside and made again'
      : `set aside${aside === null ? '' : ` as ${aside}`} and made again`;
    tell({ what: 'database-damaged', path, message, fixed });
  }
  return condition.kind === 'whole';
}

async function repairSessions(
  files: StoreFiles,
  database: SessionsDatabase | null,
  folders: readonly SessionFolder[],
  request: RepairRequest,
  tell: (finding: RepairFinding) => void,
): Promise<number> {
  const meant = request.session === null ? null : meantSession(database, folders, request.session);
  const wanted = meant === null ? folders : folders.filter(({ id }) => id === meant);
  const ahead = readAhead(
    wanted.map(({ root, id }) => join(root, id)),
    false,
  );
  try {
    for (const [index, session] of wanted.entries()) {
      await mend(files, database, session, request, tell);
      request.onProgress('sessions', index + 1, wanted.length);
      ahead.reached(index + 1);
    }
  } finally {
    await ahead.close();
  }
  return wanted.length;
}

/** As everywhere: an id, its beginning, a name, latest. What is to be mended may be what the index does not know. */
function meantSession(database: SessionsDatabase | null, folders: readonly SessionFolder[], word: string): string {
  const ids = [...new Set(folders.map(({ id }) => id))].sort();
  if (ids.includes(word)) return word;
  const indexed = database === null ? null : resolvedByIndex(database, word);
  if (indexed !== null && ids.includes(indexed)) return indexed;
  const newest = ids.at(-1);
  if (word === 'latest' && newest !== undefined) return newest;
  const [only, ...others] = word === '' ? [] : ids.filter((id) => id.startsWith(word));
  if (only !== undefined && others.length === 0) return only;
  const operation = 'repair the session';
  if (only !== undefined) {
    const message = `${word} is the beginning of ${others.length + 1} sessions: ${[only, ...others].slice(0, 5).join(', ')}`;
    throw new NkatError(message, { code: 'session-ambiguous', operation });
  }
  throw new NkatError(`there is no directory of session ${word} under any root`, {
    code: 'session-not-found',
    operation,
    hint: 'nkat-recover list --all shows every session; for a root that is not known: --root.',
  });
}

function resolvedByIndex({ sessions }: SessionsDatabase, word: string): string | null {
  try {
    return sessions.resolve(word).id;
  } catch (error) {
    if (error instanceof NkatError && error.code === 'session-not-found') return null;
    throw error;
  }
}

async function mend(
  files: StoreFiles,
  database: SessionsDatabase | null,
  { root, id }: { readonly root: string; readonly id: string },
  { home, dryRun, now }: RepairRequest,
  tell: (finding: RepairFinding) => void,
): Promise<void> {
  const directory = join(root, id);
  const row = database?.sessions.find(id) ?? null;
  const layout = { session: id, directory, backups: join(home.backups, id) };
  try {
    for (const found of await repairSession(files, { layout, row }, dryRun, now)) tell(found);
  } catch (error) {
    // One directory that cannot be mended (a read-only disk) must not keep the others from it.
    if (!(error instanceof NkatError)) throw error;
    tell({ what: 'session-unreadable', path: directory, message: error.message, fixed: null });
  }
}

async function rebuildIndex(
  files: StoreFiles,
  database: SessionsDatabase,
  roots: readonly string[],
  { session, onProgress }: RepairRequest,
  tell: (finding: RepairFinding) => void,
): Promise<void> {
  const report = await reindexRoots(database, files, roots, {
    everything: session === null,
    ahead: true,
    onProgress: (done, total) => onProgress('index', done, total),
  });
  for (const { path, reason } of report.problems) {
    tell({ what: 'directory-passed-over', path, message: reason, fixed: null });
  }
  for (const id of report.absent) {
    const message = 'the index knows this session, but its directory is not there; its rows stay';
    tell({ what: 'directory-missing', path: id, message, fixed: null });
  }
}
