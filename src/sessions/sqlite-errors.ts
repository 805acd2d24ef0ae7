/** What an SQLite (or file) error means for the index. */
import SqliteDatabase from 'better-sqlite3';
import { type ErrorCode, errnoOf, NkatError } from '../errors.ts';

export type Trouble =
  /** Somebody else writes; try again soon. */
  | 'busy'
  /** Disk full, read-only, failing or not ours to write; go on in memory and try again later. */
  | 'no-disk'
  /** The file is no database, a broken one, or has other tables than its version says. */
  | 'damaged'
  /** The file under our name is not the one that we have open. */
  | 'moved'
  /** The session row that this one belongs to is not there. */
  | 'no-parent'
  /** Everything else: a bug. */
  | 'other';

/** Not of the system, which names its errors alike: of SQLite. */
export function isDatabaseError(error: unknown): boolean {
  if (error instanceof NkatError) return error.code === 'database-damaged' || error.code === 'database-newer';
  return error instanceof SqliteDatabase.SqliteError;
}

/** The same in words, with what helps; null: it is none, or a bug in what was asked. */
export function databaseRefusal(error: unknown, path: string): NkatError | null {
  if (!isDatabaseError(error) || troubleOf(error) === 'other') return null;
  if (error instanceof NkatError) return error;
  return new NkatError(`the session database cannot be used: ${error instanceof Error ? error.message : error}`, {
    code: 'io',
    operation: 'use the session database',
    path,
    hint: 'Run the command again; if that does not help: nkat-recover repair.',
    cause: error,
  });
}

/** What a disk says that is full or failing, not who may not use it. */
const DISK_ERRNO: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'ENODEV', 'ENXIO']);

export function isDiskErrno(errno: string | null): boolean {
  return DISK_ERRNO.has(errno ?? '');
}

const ERROR_TROUBLE: ReadonlyMap<ErrorCode, Trouble> = new Map<ErrorCode, Trouble>([
  ['database-damaged', 'damaged'],
  ['database-newer', 'no-disk'],
  ['io', 'no-disk'],
]);

/** A file whose version says that it is ours and whose tables are not: another development version made it. */
const OTHER_SCHEMA =
  /^(no such (table|column)|table \S+ has no column|(table|index|trigger) \S+ already exists|duplicate column)/;

export function troubleOf(error: unknown): Trouble {
  if (error instanceof NkatError) return ERROR_TROUBLE.get(error.code) ?? 'other';
  if (!(error instanceof SqliteDatabase.SqliteError)) return errnoOf(error) === null ? 'other' : 'no-disk';
  const code = error.code;
  if (code === 'SQLITE_READONLY_DBMOVED') return 'moved';
  if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY') return 'no-parent';
  // A log or a file that is shorter than its own index says.
  if (code === 'SQLITE_IOERR_SHORT_READ') return 'damaged';
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) return 'busy';
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code) || OTHER_SCHEMA.test(error.message)) return 'damaged';
  if (/^SQLITE_(FULL|IOERR|CANTOPEN|READONLY)/.test(code)) return 'no-disk';
  return 'other';
}
