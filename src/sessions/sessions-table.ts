import type { Database } from 'better-sqlite3';
import type { RestartBudget, SessionState } from '../words.ts';
import { finiteOrNull, fromJson, toJson } from './json-column.ts';
import { resolveSession } from './resolve.ts';
import { patchSql, Statements, upsertSql } from './statements.ts';
import type { IdentityColumns, ProgressPatch, SessionPatch, SessionRow, SessionUpsert } from './types.ts';

/** What a row says by itself; the rest follows from its checkpoints. */
const OWN_COLUMNS = [
  'id',
  'name',
  'state',
  'trainer',
  'args',
  'cwd',
  'root',
  'backups',
  'created_at',
  'updated_at',
  'attempts',
  'epoch',
  'step',
  'total_steps',
  'loss',
  'best_metric',
  'supervisor_pid',
  'worker_pid',
  'source_digest',
  'budget',
] as const;

/** In the order of {@link StoredSession}. */
const ALL_COLUMNS = [...OWN_COLUMNS, 'checkpoints', 'last_checkpoint_at', 'last_checkpoint_step', 'report'] as const;

type StoredSession = readonly [
  id: string,
  name: string | null,
  state: SessionState,
  trainer: string,
  args: string,
  cwd: string,
  root: string,
  backups: string,
  createdAt: string,
  updatedAt: string,
  attempts: number,
  epoch: number | null,
  step: number | null,
  totalSteps: number | null,
  loss: number | null,
  bestMetric: string | null,
  supervisorPid: number | null,
  workerPid: number | null,
  sourceDigest: string | null,
  budget: string | null,
  checkpoints: number,
  lastCheckpointAt: string | null,
  lastCheckpointStep: number | null,
  report: string | null,
];

const UPSERT = upsertSql('sessions', ['id'], OWN_COLUMNS);
const SELECT = `SELECT ${ALL_COLUMNS.join(', ')} FROM sessions`;
const NEWEST_FIRST = 'ORDER BY created_at DESC, id DESC';

export interface IndexedSession {
  readonly id: string;
  /** Change of the directory that the rows are as new as; null: never read for this index. */
  readonly change: string | null;
}

export class SessionsTable {
  readonly #statements: Statements;

  constructor(database: Database) {
    this.#statements = new Statements(database);
  }

  find(id: string): SessionRow | null {
    return this.#first('WHERE id = ?', id);
  }

  /** Newest first. */
  list(options: { readonly limit?: number } = {}): SessionRow[] {
    // A negative limit is none.
    return this.#select(`${NEWEST_FIRST} LIMIT ?`, options.limit ?? -1);
  }

  count(): number {
    return this.#statements.one<{ n: number }>('SELECT count(*) AS n FROM sessions')?.n ?? 0;
  }

  newest(): SessionRow | null {
    return this.#first(`${NEWEST_FIRST} LIMIT 1`);
  }

  newestByName(name: string): SessionRow | null {
    return this.#first(`WHERE name = ? ${NEWEST_FIRST} LIMIT 1`, name);
  }

  newestByIdentity(identity: IdentityColumns): SessionRow | null {
    const { cwd, trainer, args, name } = identity;
    const where = 'WHERE cwd = ? AND trainer = ? AND args = ? AND name IS ?';
    return this.#first(`${where} ${NEWEST_FIRST} LIMIT 1`, cwd, trainer, toJson(args), name);
  }

  /** Sessions whose id starts like this, newest first. */
  startingWith(prefix: string, limit: number): SessionRow[] {
    return this.#select(`WHERE id >= ? AND id < ? ${NEWEST_FIRST} LIMIT ?`, prefix, `${prefix}\u{10ffff}`, limit);
  }

  /** Ids of all sessions that are indexed under a checkpoint root. */
  idsUnder(root: string): string[] {
    return this.#statements.rows<readonly [string]>('SELECT id FROM sessions WHERE root = ?', root).map(([id]) => id);
  }

  /**
   * Sessions under a root whose directories may change without a word: those that were running when they were last
   * heard of, those that were never read, and of the newest ones all that have not completed.
   */
  watchedUnder(root: string, newest: number): IndexedSession[] {
    const sql = `SELECT id, indexed_change FROM sessions
      WHERE root = ? AND (state IN ('running', 'orphaned') OR indexed_change IS NULL)
      UNION SELECT id, indexed_change FROM
        (SELECT id, state, root, indexed_change FROM sessions ${NEWEST_FIRST} LIMIT ?)
        WHERE root = ? AND state <> 'completed'`;
    const rows = this.#statements.rows<readonly [string, string | null]>(sql, root, newest, root);
    return rows.map(([id, change]) => ({ id, change }));
  }

  /** Change of its directory that a session's rows are as new as; null: never read, or not indexed. */
  indexedChange(id: string): string | null {
    const sql = 'SELECT indexed_change FROM sessions WHERE id = ?';
    return this.#statements.rows<readonly [string | null]>(sql, id)[0]?.[0] ?? null;
  }

  /** Remembers which change of its directory this session's rows are as new as. */
  markIndexed(id: string, change: string): void {
    this.#statements.run('UPDATE sessions SET indexed_change = ? WHERE id = ?', change, id);
  }

  /**
   * The session that a person means: an id, a unique prefix of one, a name (the newest of that name), or `latest`.
   * @throws NkatError 'session-ambiguous' naming the candidates, 'session-not-found'.
   */
  resolve(word: string): SessionRow {
    return resolveSession(this, word);
  }

  /** Writes the whole row; the columns that follow from the checkpoints stay as these have it. */
  upsert(row: SessionUpsert): void {
    this.#statements.run(UPSERT, {
      id: row.id,
      name: row.name,
      state: row.state,
      trainer: row.trainer,
      args: toJson(row.args),
      cwd: row.cwd,
      root: row.root,
      backups: row.backups,
      created_at: row.createdAt,
      updated_at: row.updatedAt,
      attempts: row.attempts,
      epoch: row.epoch,
      step: row.step,
      total_steps: row.totalSteps,
      loss: finiteOrNull(row.loss),
      best_metric: toJson(row.bestMetric),
      supervisor_pid: row.supervisorPid,
      worker_pid: row.workerPid,
      source_digest: row.sourceDigest,
      budget: toJson(row.budget),
    });
  }

  /** Changes what the patch names. A session that is not there is left alone. */
  patch(id: string, patch: SessionPatch, updatedAt: string): void {
    const values = { ...patchColumns(patch), updated_at: updatedAt };
    this.#statements.run(patchSql('sessions', ['id'], Object.keys(values)), { ...values, id });
  }

  setState(id: string, state: SessionState, updatedAt: string): void {
    this.patch(id, { state }, updatedAt);
  }

  recordProgress(id: string, progress: ProgressPatch, updatedAt: string): void {
    const sql = 'UPDATE sessions SET epoch = ?, step = ?, total_steps = ?, loss = ?, updated_at = ? WHERE id = ?';
    const { epoch, step, totalSteps, loss } = progress;
    this.#statements.run(sql, epoch, step, totalSteps, finiteOrNull(loss), updatedAt, id);
  }

  #first(where: string, ...values: unknown[]): SessionRow | null {
    return this.#select(where, ...values)[0] ?? null;
  }

  #select(where: string, ...values: unknown[]): SessionRow[] {
    const parse = cachedParser();
    return this.#statements.rows<StoredSession>(`${SELECT} ${where}`, ...values).map((stored) => toRow(stored, parse));
  }

  /** The row and all that belongs to it; directories are not touched. */
  remove(id: string): void {
    this.#statements.run('DELETE FROM sessions WHERE id = ?', id);
  }
}

function patchColumns(patch: SessionPatch): Record<string, string | number | null> {
  return {
    ...(patch.state !== undefined && { state: patch.state }),
    ...(patch.args !== undefined && { args: toJson(patch.args) }),
    ...(patch.attempts !== undefined && { attempts: patch.attempts }),
    ...(patch.epoch !== undefined && { epoch: patch.epoch }),
    ...(patch.step !== undefined && { step: patch.step }),
    ...(patch.totalSteps !== undefined && { total_steps: patch.totalSteps }),
    ...(patch.loss !== undefined && { loss: finiteOrNull(patch.loss) }),
    ...(patch.bestMetric !== undefined && { best_metric: toJson(patch.bestMetric) }),
    ...(patch.report !== undefined && { report: toJson(patch.report) }),
    ...(patch.supervisorPid !== undefined && { supervisor_pid: patch.supervisorPid }),
    ...(patch.workerPid !== undefined && { worker_pid: patch.workerPid }),
    ...(patch.sourceDigest !== undefined && { source_digest: patch.sourceDigest }),
    ...(patch.budget !== undefined && { budget: toJson(patch.budget) }),
  };
}

/** A parser for this listing: most rows share their arguments, and parsing them costs more than reading them. */
function cachedParser(): <T>(text: string | null) => T | null {
  const parsed = new Map<string, unknown>();
  return <T>(text: string | null): T | null => {
    if (text === null) return null;
    if (!parsed.has(text)) parsed.set(text, fromJson<unknown>(text));
    return parsed.get(text) as T | null;
  };
}

function toRow(stored: StoredSession, parse: <T>(text: string | null) => T | null): SessionRow {
  return {
    id: stored[0],
    name: stored[1],
    state: stored[2],
    trainer: stored[3],
    args: parse<string[]>(stored[4]) ?? [],
    cwd: stored[5],
    root: stored[6],
    backups: stored[7],
    createdAt: stored[8],
    updatedAt: stored[9],
    attempts: stored[10],
    epoch: stored[11],
    step: stored[12],
    totalSteps: stored[13],
    loss: stored[14],
    bestMetric: parse<{ name: string; value: number }>(stored[15]),
    supervisorPid: stored[16],
    workerPid: stored[17],
    sourceDigest: stored[18],
    budget: parse<RestartBudget>(stored[19]),
    checkpoints: stored[20],
    lastCheckpointAt: stored[21],
    lastCheckpointStep: stored[22],
    report: parse<NonNullable<SessionRow['report']>>(stored[23]),
  };
}
