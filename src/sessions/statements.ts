/** Statements of one table, prepared at first use: a listing should not pay for those that write. */
import type { Database, Statement } from 'better-sqlite3';
import { NkatError } from '../errors.ts';
import { isNewer } from './migrations.ts';
import { inodeAt, markDamaged } from './open-file.ts';
import { troubleOf } from './sqlite-errors.ts';

export class Statements {
  readonly #database: Database;
  /** The file of the connection; null: memory. */
  readonly #inode: bigint | null;
  readonly #prepared = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
    this.#inode = database.memory || database.readonly ? null : inodeAt(database.name);
  }

  /** @returns how many rows it changed. */
  run(sql: string, ...values: unknown[]): number {
    return this.#guarded(() => this.#statement(sql).run(...values).changes);
  }

  /** The caller names the columns that its SQL selects. */
  one<R>(sql: string, ...values: unknown[]): R | null {
    return this.#guarded(() => (this.#statement(sql).get(...values) as R | undefined) ?? null);
  }

  all<R>(sql: string, ...values: unknown[]): R[] {
    return this.#guarded(() => this.#statement(sql).all(...values) as R[]);
  }

  /** Rows as arrays in the order of the columns: a third of the time of {@link all} where there are many. */
  rows<R extends readonly unknown[]>(sql: string, ...values: unknown[]): R[] {
    return this.#guarded(
      () =>
        this.#statement(sql)
          .raw()
          .all(...values) as R[],
    );
  }

  /** Damage that shows only now: the next opening checks the whole file and makes way for a new one. */
  #guarded<R>(query: () => R): R {
    try {
      return query();
    } catch (error) {
      if (troubleOf(error) !== 'damaged') throw error;
      if (this.#inode !== null && !isNewer(this.#database)) markDamaged(this.#database.name, this.#inode);
      throw new NkatError('the session database is damaged', {
        code: 'database-damaged',
        operation: 'use the session database',
        path: this.#database.name,
        hint: 'Run the command again: the database is set aside and rebuilt from the checkpoint directories.',
        cause: error,
      });
    }
  }

  #statement(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

/** `INSERT ... ON CONFLICT (key) DO UPDATE SET ...` with named values, the same every time it is asked for. */
export function upsertSql(table: string, key: readonly string[], columns: readonly string[]): string {
  const values = columns.map((column) => `@${column}`).join(', ');
  const changes = columns
    .filter((column) => !key.includes(column))
    .map((column) => `${column} = excluded.${column}`)
    .join(', ');
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values})
    ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${changes}`;
}

/** `UPDATE` of just these columns. */
export function patchSql(table: string, key: readonly string[], columns: readonly string[]): string {
  const changes = columns.map((column) => `${column} = @${column}`).join(', ');
  return `UPDATE ${table} SET ${changes} WHERE ${key.map((column) => `${column} = @${column}`).join(' AND ')}`;
}
