import type { Database } from 'better-sqlite3';
import { fromJson, toJson } from './json-column.ts';
import { Statements } from './statements.ts';
import type { SaveRow } from './types.ts';

type StoredSave = Omit<SaveRow, 'kinds'> & { readonly kinds: string };

export interface SaveTotals {
  readonly saved: number;
  readonly failed: number;
  readonly skipped: number;
  readonly bytes: number;
  /** Longest time from the first byte to the last directory sync; 0: none yet. */
  readonly longestWriteMs: number;
}

/** Every save that was tried, with what it cost. */
export class SavesTable {
  readonly #statements: Statements;

  constructor(database: Database) {
    this.#statements = new Statements(database);
  }

  record(row: SaveRow): void {
    const sql = `INSERT INTO saves (session, at, attempt, sequence, step, kinds, outcome, bytes, stall_ms, write_ms, message)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    const { session, at, attempt, sequence, step, outcome, bytes, stallMs, writeMs, message } = row;
    const kinds = toJson(row.kinds);
    this.#statements.run(sql, session, at, attempt, sequence, step, kinds, outcome, bytes, stallMs, writeMs, message);
  }

  /** In the order in which they were recorded. */
  ofSession(session: string): SaveRow[] {
    const sql = `SELECT session, at, attempt, sequence, step, kinds, outcome, bytes, stall_ms AS stallMs,
      write_ms AS writeMs, message FROM saves WHERE session = ? ORDER BY id`;
    const rows = this.#statements.all<StoredSave>(sql, session);
    return rows.map((stored) => ({ ...stored, kinds: fromJson<string[]>(stored.kinds) ?? [] }));
  }

  totalsOf(session: string): SaveTotals {
    const sql = `SELECT
      coalesce(sum(outcome = 'saved'), 0) AS saved,
      coalesce(sum(outcome = 'failed'), 0) AS failed,
      coalesce(sum(outcome = 'skipped'), 0) AS skipped,
      coalesce(sum(bytes), 0) AS bytes,
      coalesce(max(CASE WHEN outcome = 'saved' THEN write_ms END), 0) AS longestWriteMs
      FROM saves WHERE session = ?`;
    const none: SaveTotals = { saved: 0, failed: 0, skipped: 0, bytes: 0, longestWriteMs: 0 };
    return this.#statements.one<SaveTotals>(sql, session) ?? none;
  }
}
