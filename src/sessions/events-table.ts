import type { Database } from 'better-sqlite3';
import { fromJson, toJson } from './json-column.ts';
import { Statements } from './statements.ts';
import type { EventRow } from './types.ts';

type StoredEvent = Omit<EventRow, 'detail'> & { readonly detail: string | null };

/** What happened, in the words of the log. */
export class EventsTable {
  readonly #statements: Statements;

  constructor(database: Database) {
    this.#statements = new Statements(database);
  }

  record(row: EventRow): void {
    const sql = 'INSERT INTO events (session, at, attempt, name, detail) VALUES (?, ?, ?, ?, ?)';
    this.#statements.run(sql, row.session, row.at, row.attempt, row.name, toJson(row.detail));
  }

  /** In the order in which they were recorded; with a limit the newest that many. */
  ofSession(session: string, options: { readonly limit?: number } = {}): EventRow[] {
    const sql = 'SELECT session, at, attempt, name, detail FROM events WHERE session = ? ORDER BY id DESC LIMIT ?';
    const newestFirst = this.#statements.all<StoredEvent>(sql, session, options.limit ?? -1);
    return newestFirst.reverse().map((stored) => ({ ...stored, detail: fromJson<unknown>(stored.detail) }));
  }

  newestNamed(session: string, name: string): EventRow | null {
    const sql = `SELECT session, at, attempt, name, detail FROM events
      WHERE session = ? AND name = ? ORDER BY id DESC LIMIT 1`;
    const stored = this.#statements.one<StoredEvent>(sql, session, name);
    return stored === null ? null : { ...stored, detail: fromJson<unknown>(stored.detail) };
  }
}
