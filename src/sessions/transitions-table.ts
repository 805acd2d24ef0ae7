import type { Database } from 'better-sqlite3';
import { fromJson, toJson } from './json-column.ts';
import { Statements } from './statements.ts';
import type { TransitionRow } from './types.ts';

const SELECT = `SELECT session, at, attempt, from_state AS "from", event, to_state AS "to", detail FROM transitions`;

type StoredTransition = Omit<TransitionRow, 'detail'> & { readonly detail: string | null };

/** One durable row per step of the state machine: where a supervisor was when it was killed. */
export class TransitionsTable {
  readonly #statements: Statements;

  constructor(database: Database) {
    this.#statements = new Statements(database);
  }

  record(row: TransitionRow): void {
    const sql = `INSERT INTO transitions (session, at, attempt, from_state, event, to_state, detail)
      VALUES (?, ?, ?, ?, ?, ?, ?)`;
    this.#statements.run(sql, row.session, row.at, row.attempt, row.from, row.event, row.to, toJson(row.detail));
  }

  /** In the order in which they were recorded, whatever the clock said. */
  ofSession(session: string): TransitionRow[] {
    return this.#statements.all<StoredTransition>(`${SELECT} WHERE session = ? ORDER BY id`, session).map(toRow);
  }

  latestOf(session: string): TransitionRow | null {
    const row = this.#statements.one<StoredTransition>(`${SELECT} WHERE session = ? ORDER BY id DESC LIMIT 1`, session);
    return row === null ? null : toRow(row);
  }
}

function toRow(stored: StoredTransition): TransitionRow {
  return { ...stored, detail: fromJson<unknown>(stored.detail) };
}
