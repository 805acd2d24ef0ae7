import type { Database } from 'better-sqlite3';
import { fromJson, toJson } from './json-column.ts';
import { patchSql, Statements, upsertSql } from './statements.ts';
import type { AttemptPatch, AttemptRow } from './types.ts';

/** Column of each field; the order is that of the table. */
const COLUMN_OF = {
  session: 'session',
  number: 'number',
  startedAt: 'started_at',
  endedAt: 'ended_at',
  exitCode: 'exit_code',
  signal: 'signal',
  class: 'class',
  reason: 'reason',
  evidence: 'evidence',
  resumedFromSequence: 'resumed_from_sequence',
  firstStep: 'first_step',
  lastStep: 'last_step',
  pid: 'pid',
  groupPid: 'group_pid',
  startTime: 'start_time',
  bootId: 'boot_id',
} as const satisfies Record<keyof AttemptRow, string>;

const KEY = ['session', 'number'] as const;
const UPSERT = upsertSql('attempts', KEY, Object.values(COLUMN_OF));
const SELECT = `SELECT ${Object.entries(COLUMN_OF)
  .map(([field, column]) => `${column} AS "${field}"`)
  .join(', ')} FROM attempts`;

type StoredAttempt = Omit<AttemptRow, 'evidence'> & { readonly evidence: string | null };

export class AttemptsTable {
  readonly #statements: Statements;

  constructor(database: Database) {
    this.#statements = new Statements(database);
  }

  find(session: string, number: number): AttemptRow | null {
    const row = this.#statements.one<StoredAttempt>(`${SELECT} WHERE session = ? AND number = ?`, session, number);
    return row === null ? null : toRow(row);
  }

  /** Oldest first. */
  ofSession(session: string): AttemptRow[] {
    return this.#statements.all<StoredAttempt>(`${SELECT} WHERE session = ? ORDER BY number`, session).map(toRow);
  }

  newestOf(session: string): AttemptRow | null {
    const sql = `${SELECT} WHERE session = ? ORDER BY number DESC LIMIT 1`;
    const row = this.#statements.one<StoredAttempt>(sql, session);
    return row === null ? null : toRow(row);
  }

  /** Written before the spawn, so that no launch is ever unknown. */
  upsert(row: AttemptRow): void {
    this.#statements.run(UPSERT, columnsOf(row));
  }

  /** Adds what was learned since: process, first step, end. An attempt that is not there is left alone. */
  patch(session: string, number: number, patch: AttemptPatch): void {
    const values = columnsOf(patch);
    const columns = Object.keys(values);
    if (columns.length === 0) return;
    this.#statements.run(patchSql('attempts', KEY, columns), { ...values, session, number });
  }
}

function columnsOf(fields: Partial<AttemptRow>): Record<string, string | number | null> {
  const values: Record<string, string | number | null> = {};
  for (const [field, column] of Object.entries(COLUMN_OF) as [keyof AttemptRow, string][]) {
    const value = fields[field];
    if (field === 'evidence') {
      if (value !== undefined) values[column] = toJson(value);
    } else if (typeof value === 'string' || typeof value === 'number' || value === null) {
      values[column] = value;
    }
  }
  return values;
}

function toRow(stored: StoredAttempt): AttemptRow {
  return { ...stored, evidence: fromJson<unknown>(stored.evidence) };
}
