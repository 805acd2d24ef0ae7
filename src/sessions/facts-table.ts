import type { Database } from 'better-sqlite3';
import { Statements } from './statements.ts';

/** What the index knows of itself: a word and its value. */
export class FactsTable {
  readonly #statements: Statements;

  constructor(database: Database) {
    this.#statements = new Statements(database);
  }

  find(name: string): string | null {
    return this.#statements.one<{ value: string }>('SELECT value FROM facts WHERE name = ?', name)?.value ?? null;
  }

  set(name: string, value: string): void {
    this.#statements.run('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)', name, value);
  }
}
