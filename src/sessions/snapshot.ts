/** What a database file says, in memory: for those who may read it and not write it, or on a disk that has no room. */
import { readFileSync } from 'node:fs';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { errnoOf, NkatError } from '../errors.ts';
import { migrate, refuseNewer } from './migrations.ts';
import { troubleOf } from './sqlite-errors.ts';

/** Both say how the file is written: 1 with a rollback journal, 2 with a WAL. Source: fileformat2, "The Database Header". */
const WRITE_VERSION = 18;
const READ_VERSION = 19;
const HEADER_BYTES = 100;

/**
 * A copy in memory, brought up to date there. Nothing changes on the disk; SQLite may leave empty side files.
 * @returns null: there is none to read, or a damaged one; the directories know the same
 * @throws NkatError 'database-newer'; an errno error when the file is there and may not be read
 */
export function snapshotOf(path: string): Database | null {
  try {
    const bytes = wholeFile(path) ?? fileAlone(path);
    if (bytes === null) return null;
    const database = new SqliteDatabase(bytes);
    database.pragma('foreign_keys = OFF');
    migrate(database);
    return database;
  } catch (error) {
    if (troubleOf(error) !== 'damaged') throw error;
    return null;
  }
}

/** With what is still in its log. Null: without the right to make side files SQLite cannot read a log that has none. */
function wholeFile(path: string): Buffer | null {
  try {
    const database = new SqliteDatabase(path, { readonly: true, fileMustExist: true });
    try {
      // A question first: what keeps SQLite from reading comes out of `serialize` as "out of memory".
      refuseNewer(database);
      return asRollback(database.serialize());
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof NkatError || troubleOf(error) !== 'no-disk') throw error;
    return null;
  }
}

function fileAlone(path: string): Buffer | null {
  try {
    return asRollback(readFileSync(path));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return null;
  }
}

/** A database in memory has no place for a WAL. Null: an empty file, which is no database yet. */
function asRollback(bytes: Buffer): Buffer | null {
  if (bytes.length < HEADER_BYTES) return null;
  bytes[WRITE_VERSION] = 1;
  bytes[READ_VERSION] = 1;
  return bytes;
}
