import type { Database } from 'better-sqlite3';
import type { RestartBudget, SessionState } from '../words.ts';
import { finiteOrNull, fromJson, toJson } from './json-column.ts';
import { resolveSession } from './resolve.ts';
import { patchSql, Statements, upsertSql } from './statements.ts';
import type { IdentityColumns, ProgressPatch, SessionPatch, SessionRow, SessionUpsert } from './types.ts';

interface SessionColumns {
  id: string;
  name: string | null;
  state: SessionState;
  trainer: string;
  args: string;
  cwd: string;
  root: string;
  backups: string;
  created_at: string;
  updated_at: string;
  attempts: number;
  epoch: number | null;
  step: number | null;
  total_steps: number | null;
  loss: number | null;
  best_metric: string | null;
  checkpoints: number;
  last_checkpoint_at: string | null;
  last_checkpoint_step: number | null;
  supervisor_pid: number | null;
  worker_pid: number | null;
  source_digest: string | null;
  budget: string | null;
}

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

const UPSERT = upsertSql('sessions', ['id'], OWN_COLUMNS);
const NEWEST_FIRST = 'ORDER BY created_at DESC, id DESC';

export class SessionsTable {
  readonly #statements: Statements;

  constructor(database: Database) {
    this.#statements = new Statements(database);
  }

  find(id: string): SessionRow | null {
    return rowOrNull(this.#statements.one<SessionColumns>('SELECT * FROM sessions WHERE id = ?', id));
  }

  /** Newest first. */
  list(options: { readonly limit?: number } = {}): SessionRow[] {
    // A negative limit is none.
    const sql = `SELECT * FROM sessions ${NEWEST_FIRST} LIMIT ?`;
    return this.#statements.all<SessionColumns>(sql, options.limit ?? -1).map(toRow);
  }

  count(): number {
    return this.#statements.one<{ n: number }>('SELECT count(*) AS n FROM sessions')?.n ?? 0;
  }

  newest(): SessionRow | null {
    return rowOrNull(this.#statements.one<SessionColumns>(`SELECT * FROM sessions ${NEWEST_FIRST} LIMIT 1`));
  }

  newestByName(name: string): SessionRow | null {
    const sql = `SELECT * FROM sessions WHERE name = ? ${NEWEST_FIRST} LIMIT 1`;
    return rowOrNull(this.#statements.one<SessionColumns>(sql, name));
  }

  newestByIdentity(identity: IdentityColumns): SessionRow | null {
    const sql = `SELECT * FROM sessions WHERE cwd = ? AND trainer = ? AND args = ? AND name IS ? ${NEWEST_FIRST} LIMIT 1`;
    const { cwd, trainer, args, name } = identity;
    return rowOrNull(this.#statements.one<SessionColumns>(sql, cwd, trainer, toJson(args), name));
  }

  /** Sessions whose id starts like this, newest first. */
  startingWith(prefix: string, limit: number): SessionRow[] {
    const sql = `SELECT * FROM sessions WHERE id >= ? AND id < ? ${NEWEST_FIRST} LIMIT ?`;
    return this.#statements.all<SessionColumns>(sql, prefix, `${prefix}\u{10ffff}`, limit).map(toRow);
  }

  /** Id and state of the sessions under a checkpoint root; what a re-index compares with the directories. */
  statesUnder(root: string): Map<string, { readonly state: SessionState; readonly updatedAt: string }> {
    const sql = 'SELECT id, state, updated_at AS updatedAt FROM sessions WHERE root = ?';
    const rows = this.#statements.all<{ id: string; state: SessionState; updatedAt: string }>(sql, root);
    return new Map(rows.map(({ id, state, updatedAt }) => [id, { state, updatedAt }]));
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
    ...(patch.supervisorPid !== undefined && { supervisor_pid: patch.supervisorPid }),
    ...(patch.workerPid !== undefined && { worker_pid: patch.workerPid }),
    ...(patch.sourceDigest !== undefined && { source_digest: patch.sourceDigest }),
    ...(patch.budget !== undefined && { budget: toJson(patch.budget) }),
  };
}

function rowOrNull(columns: SessionColumns | null): SessionRow | null {
  return columns === null ? null : toRow(columns);
}

function toRow(columns: SessionColumns): SessionRow {
  return {
    id: columns.id,
    name: columns.name,
    state: columns.state,
    trainer: columns.trainer,
    args: fromJson<string[]>(columns.args) ?? [],
    cwd: columns.cwd,
    root: columns.root,
    backups: columns.backups,
    createdAt: columns.created_at,
    updatedAt: columns.updated_at,
    attempts: columns.attempts,
    epoch: columns.epoch,
    step: columns.step,
    totalSteps: columns.total_steps,
    loss: columns.loss,
    bestMetric: fromJson<{ name: string; value: number }>(columns.best_metric),
    checkpoints: columns.checkpoints,
    lastCheckpointAt: columns.last_checkpoint_at,
    lastCheckpointStep: columns.last_checkpoint_step,
    supervisorPid: columns.supervisor_pid,
    workerPid: columns.worker_pid,
    sourceDigest: columns.source_digest,
    budget: fromJson<RestartBudget>(columns.budget),
  };
}
