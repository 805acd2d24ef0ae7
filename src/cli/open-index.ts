/** The session index as a command finds it: opened, and brought up to date with the directories. */
import { dirname, resolve } from 'node:path';
import { nodeFiles } from '../checkpoint/files.ts';
import { readRoots } from '../checkpoint/roots.ts';
import type { SessionsDatabase } from '../sessions/database.ts';
import { type OpenedSessions, openSessions } from '../sessions/open.ts';
import { databaseRefusal } from '../sessions/sqlite-errors.ts';
import { lookAtRoot, NEWEST_WATCHED } from '../supervisor/reindex-look.ts';
import type { CommandContext } from './context.ts';
import { line } from './render/line.ts';
import { paintLine, paintWith } from './render/paint.ts';
import { StatusLine } from './render/status-line.ts';

/** A session directory that could not be read, and why. */
export interface IndexProblem {
  readonly path: string;
  readonly reason: string;
}

/** How often the index is opened anew when it proves damaged, or is taken away, while it is read. */
const MOST_TRIES = 3;

/** What a command does with the index. Called once more, from its beginning, where the index proved unusable in the midst. */
type Work<T> = (database: SessionsDatabase, problems: readonly IndexProblem[]) => Promise<T>;

/**
 * Opens the index for the length of `work`, with all that the checkpoint roots hold in it.
 *
 * @param root one more root to look into, beside the registered ones
 * @param newest how many of the newest sessions are looked at whether anything changed in them
 */
export async function withIndex<T>(
  context: CommandContext,
  work: Work<T>,
  root: string | null = null,
  newest = NEWEST_WATCHED,
): Promise<T> {
  return withOpened(context, () => openSessions(context.home.database), work, root, newest);
}

/** The same for who only looks: a state home that may only be read will do, and that is said. */
export async function withReadableIndex<T>(
  context: CommandContext,
  work: Work<T>,
  root: string | null = null,
  newest = NEWEST_WATCHED,
): Promise<T> {
  const open = (): OpenedSessions => {
    const opened = openSessions(context.home.database, { reading: true });
    const { degraded } = opened.database;
    if (degraded !== null) {
      warn(context, `${dirname(context.home.database)} cannot be written, so sessions are only read: ${degraded}.`);
    }
    return opened;
  };
  return withOpened(context, open, work, root, newest);
}

async function withOpened<T>(
  context: CommandContext,
  open: () => OpenedSessions,
  work: Work<T>,
  root: string | null,
  newest: number,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await withOnce(context, open(), work, root, newest);
    } catch (error) {
      const refusal = databaseRefusal(error, context.home.database);
      if (refusal === null) throw error;
      if (tries === MOST_TRIES || refusal.code === 'database-newer') throw refusal;
    }
  }
}

async function withOnce<T>(
  context: CommandContext,
  { database, setAside }: OpenedSessions,
  work: Work<T>,
  root: string | null,
  newest: number,
): Promise<T> {
  try {
    if (setAside !== null) {
      warn(context, `The session database was damaged; it is kept as ${setAside} and rebuilt from the checkpoints.`);
    }
    const problems = await bringUpToDate(database, context, root, newest);
    return await work(database, problems);
  } finally {
    database.close();
  }
}

async function bringUpToDate(
  database: SessionsDatabase,
  context: CommandContext,
  root: string | null,
  newest: number,
): Promise<readonly IndexProblem[]> {
  const { home } = context;
  const roots = [home.checkpoints, ...(await readRoots(nodeFiles, home.roots)), ...(root === null ? [] : [root])];
  const nowMs = context.clocks.now();
  const looks = [...new Set(roots.map((path) => resolve(path)))].flatMap(
    (path) => lookAtRoot(database, path, { newest, nowMs }) ?? [],
  );
  if (looks.every(({ candidates, listed }) => candidates.length === 0 && listed === null)) return [];
  // Loaded only where something changed: reading checkpoints takes half of what a listing loads.
  const { indexLooks } = await import('../supervisor/reindex.ts');
  const status = new StatusLine(context);
  try {
    const { problems } = await indexLooks(database, nodeFiles, looks, (done, total) =>
      status.show(`Reading sessions: ${done} of ${total}`),
    );
    status.clear();
    for (const { path, reason } of problems) warn(context, `${path} was passed over: ${reason}`);
    return problems;
  } finally {
    status.clear();
  }
}

function warn({ streams, terminal }: CommandContext, text: string): void {
  streams.err(paintLine(paintWith(terminal.colourErr), line(text, 'warning')));
}
