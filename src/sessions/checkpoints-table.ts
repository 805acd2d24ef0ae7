import type { Database } from 'better-sqlite3';
import { fromJson, toJson } from './json-column.ts';
import { Statements, upsertSql } from './statements.ts';
import type { CheckpointRow, CheckpointState } from './types.ts';

const COLUMNS = [
  'session',
  'sequence',
  'step',
  'epoch',
  'kinds',
  'reason',
  'state',
  'bytes',
  'created_at',
  'digest',
  'path',
  'metrics',
  'parent',
  'attempt',
] as const;

const UPSERT = upsertSql('checkpoints', ['session', 'sequence'], COLUMNS);
const SELECT = `SELECT session, sequence, step, epoch, kinds, reason, state, bytes, created_at AS createdAt, digest, path,
  metrics, parent, attempt FROM checkpoints`;

type StoredCheckpoint = Omit<CheckpointRow, 'kinds' | 'metrics'> & { readonly kinds: string; readonly metrics: string };

/** Rows of what was ever committed; a row outlives its directory. */
export class CheckpointsTable {
  readonly #statements: Statements;

  constructor(database: Database) {
    this.#statements = new Statements(database);
  }

  find(session: string, sequence: number): CheckpointRow | null {
    const sql = `${SELECT} WHERE session = ? AND sequence = ?`;
    const row = this.#statements.one<StoredCheckpoint>(sql, session, sequence);
    return row === null ? null : toRow(row);
  }

  /** Newest first. */
  ofSession(session: string): CheckpointRow[] {
    const sql = `${SELECT} WHERE session = ? ORDER BY sequence DESC`;
    return this.#statements.all<StoredCheckpoint>(sql, session).map(toRow);
  }

  /** Durable or verified ones, newest first; the cost does not grow with what was removed. */
  presentIn(session: string): CheckpointRow[] {
    const sql = `${SELECT} WHERE session = ? AND state IN ('durable', 'verified') ORDER BY sequence DESC`;
    return this.#statements.all<StoredCheckpoint>(sql, session).map(toRow);
  }

  /** Whoever learns of a checkpoint writes it, any number of times; `verified` does not fall back to `durable`. */
  upsert(row: CheckpointRow): void {
    const state = row.state === 'durable' && this.#isVerified(row) ? 'verified' : row.state;
    this.#statements.run(UPSERT, {
      session: row.session,
      sequence: row.sequence,
      step: row.step,
      epoch: row.epoch,
      kinds: toJson(row.kinds),
      reason: row.reason,
      state,
      bytes: row.bytes,
      created_at: row.createdAt,
      digest: row.digest,
      path: row.path,
      metrics: toJson(row.metrics),
      parent: row.parent,
      attempt: row.attempt,
    });
  }

  setState(session: string, sequence: number, state: CheckpointState): void {
    const sql = 'UPDATE checkpoints SET state = ? WHERE session = ? AND sequence = ? AND state <> ?';
    this.#statements.run(sql, state, session, sequence, state);
  }

  /** It went somewhere else: into quarantine, or only its backup is left. */
  move(session: string, sequence: number, path: string, state: CheckpointState): void {
    const sql = 'UPDATE checkpoints SET path = ?, state = ? WHERE session = ? AND sequence = ?';
    this.#statements.run(sql, path, state, session, sequence);
  }

  #isVerified(row: CheckpointRow): boolean {
    const sql = 'SELECT state FROM checkpoints WHERE session = ? AND sequence = ? AND digest = ?';
    const known = this.#statements.one<{ state: CheckpointState }>(sql, row.session, row.sequence, row.digest);
    return known?.state === 'verified';
  }
}

function toRow(stored: StoredCheckpoint): CheckpointRow {
  return {
    ...stored,
    kinds: fromJson<string[]>(stored.kinds) ?? [],
    metrics: fromJson<Record<string, number>>(stored.metrics) ?? {},
  };
}
