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

const NO_DISK_ERRNO = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'ENODEV', 'ENXIO']);

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
  if (!(error instanceof SqliteDatabase.SqliteError))
    return NO_DISK_ERRNO.has(errnoOf(error) ?? '') ? 'no-disk' : 'other';
  const code = error.code;
  if (code === 'SQLITE_READONLY_DBMOVED') return 'moved';
  if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY') return 'no-parent';
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return 'busy';
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code) || OTHER_SCHEMA.test(error.message)) return 'damaged';
  if (/^SQLITE_(FULL|IOERR|CANTOPEN|READONLY)/.test(code)) return 'no-disk';
  return 'other';
}
