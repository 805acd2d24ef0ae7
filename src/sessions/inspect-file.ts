/** What stands where the session database should: looked at without changing anything. */
import { statSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { NkatError } from '../errors.ts';
import { refuseNewer } from './migrations.ts';
import { troubleOf } from './sqlite-errors.ts';

export type DatabaseCondition =
  | { readonly kind: 'whole' | 'missing' }
  /** Not a file at all: a directory, a socket. */
  | { readonly kind: 'not-a-file' }
  | { readonly kind: 'damaged'; readonly reason: string };

/**
 * Reads every page of the database.
 * @throws NkatError 'database-newer'; SqliteError when the disk is failing
 */
export function inspectDatabase(path: string): DatabaseCondition {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { kind: 'missing' };
  if (!found.isFile()) return { kind: 'not-a-file' };
  if (found.size === 0) return { kind: 'missing' };
  try {
    const database = new SqliteDatabase(path, { readonly: true, timeout: 5_000 });
    try {
      refuseNewer(database);
      const verdict = String(database.pragma('integrity_check(1)', { simple: true }));
      return verdict === 'ok' ? { kind: 'whole' } : { kind: 'damaged', reason: verdict };
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof NkatError || troubleOf(error) !== 'damaged') throw error;
    return { kind: 'damaged', reason: error instanceof Error ? error.message : String(error) };
  }
}
