/** The newest sessions for a shell's Tab: read as the file is, nothing made, mended or set aside, no word of trouble. */
import SqliteDatabase from 'better-sqlite3';
import { SessionsTable } from './sessions-table.ts';
import { snapshotOf } from './snapshot.ts';
import type { SessionRow } from './types.ts';

/** Empty where there is no database, or none that this version can read: the command that is completed will say why. */
export function newestSessions(path: string, limit: number): readonly SessionRow[] {
  try {
    return listed(new SqliteDatabase(path, { readonly: true, fileMustExist: true }), limit);
  } catch {
    return newestOfSnapshot(path, limit);
  }
}

/** Without the right to make side files SQLite cannot read a WAL database; one of an older version is too old as it is. */
function newestOfSnapshot(path: string, limit: number): readonly SessionRow[] {
  try {
    const database = snapshotOf(path);
    return database === null ? [] : listed(database, limit);
  } catch {
    // At a prompt there is no place for words.
    return [];
  }
}

function listed(database: SqliteDatabase.Database, limit: number): readonly SessionRow[] {
  try {
    return new SessionsTable(database).list({ limit });
  } finally {
    database.close();
  }
}
