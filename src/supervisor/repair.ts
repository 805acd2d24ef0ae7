/**
 * Puts index and directories in order: a damaged database is set aside, each session's record and left-overs are mended,
 * and the index is made again from what the directories say. Checkpoints are never touched: what is damaged is told,
 * and quarantined by whoever resumes the session.
 */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { StoreFiles } from '../checkpoint/files.ts';
import { readRoots, registerRoot } from '../checkpoint/roots.ts';
import { errnoOf, NkatError } from '../errors.ts';
import type { StateHome } from '../home.ts';
import type { SessionsDatabase } from '../sessions/database.ts';
import { inspectDatabase } from '../sessions/inspect-file.ts';
import { openSessions } from '../sessions/open.ts';
import { inodeAt } from '../sessions/open-file.ts';
import { setDatabaseAside } from '../sessions/set-aside.ts';
import { readAhead } from './read-ahead.ts';
import { reindexRoots } from './reindex.ts';
import type { RepairFinding } from './repair-finding.ts';
import { repairSession } from './repair-session.ts';

export interface RepairRequest {
  readonly home: StateHome;
  /** One more root, to be registered. */
  readonly root: string | null;
  /** Only the directories of this session; null: all. The index is brought up to date with all of them. */
  readonly session: string | null;
  readonly dryRun: boolean;
  readonly now: Date;
  readonly onFinding: (finding: RepairFinding) => void;
  readonly onProgress: (stage: 'sessions' | 'index', done: number, total: number) => void;
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
  if (request.root !== null) refuseUnreadableRoot(resolve(request.root));
  const isWhole = repairDatabase(request, tell);
  const roots = await rootsOf(files, request, tell);
  // In a dry run nothing may be made, so an index is read only where one stands.
  const database = dryRun && !isWhole ? null : openSessions(home.database).database;
  try {
    const sessions = await repairSessions(files, database, roots, request, tell);
    if (database !== null && !dryRun) {
      // What a disk refused was said: the same record again would read as if it were lost.
      const refused = new Set(findings.flatMap(({ what, path }) => (what === 'session-unreadable' ? [path] : [])));
      await rebuildIndex(files, database, roots, request, (found) => {
        if (!refused.has(found.path)) tell(found);
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

async function rootsOf(
  files: StoreFiles,
  { home, root, dryRun }: RepairRequest,
  tell: (finding: RepairFinding) => void,
): Promise<string[]> {
  const registered = await readRoots(files, home.roots);
  const roots = new Set([home.checkpoints, ...registered]);
  if (root !== null && !roots.has(resolve(root))) {
    const path = resolve(root);
    if (!dryRun) await registerRoot(files, home.roots, path);
    roots.add(path);
    tell({
      what: 'root-registered',
      path,
      message: 'this root was not known',
      fixed: dryRun ? 'would be added' : 'added',
    });
  }
  return [...roots]
    .map((path) => resolve(path))
    .filter((path) => {
      const problem = rootProblem(path);
      // The default root comes with the first session.
      if (problem !== null && (path !== home.checkpoints || problem !== 'ENOENT')) {
        tell({
          what: 'root-missing',
          path,
          message: `this root cannot be read (${problem}): mount its disk and repair again`,
          fixed: null,
        });
      }
      return problem === null;
    });
}

/** A slip of the pen must not be remembered: each later repair would tell of it. */
function refuseUnreadableRoot(path: string): void {
  const problem = rootProblem(path);
  if (problem === null) return;
  throw new NkatError(`--root cannot be read (${problem})`, {
    code: 'io',
    operation: 'add the root',
    path,
    hint: 'Check the path, or mount its disk first. Nothing was changed.',
  });
}

function rootProblem(path: string): string | null {
  try {
    readdirSync(path);
    return null;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    return errno;
  }
}

async function repairSessions(
  files: StoreFiles,
  database: SessionsDatabase | null,
  roots: readonly string[],
  request: RepairRequest,
  tell: (finding: RepairFinding) => void,
): Promise<number> {
  const directories = roots.flatMap((root) => sessionDirectories(root).map((id) => ({ root, id })));
  const wanted = request.session === null ? directories : directories.filter(({ id }) => id === request.session);
  if (request.session !== null && wanted.length === 0) {
    throw new NkatError(`there is no directory of session ${request.session} under any root`, {
      code: 'session-not-found',
      operation: 'repair the session',
      hint: 'Name its whole id; for a root that is not known: --root.',
    });
  }
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

function sessionDirectories(root: string): string[] {
  return readdirSync(root).filter((name) => !name.startsWith('.') && isDirectory(join(root, name)));
}

/** False for links that lead in a circle, and for what cannot be looked at: none of them is a session of ours. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
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
