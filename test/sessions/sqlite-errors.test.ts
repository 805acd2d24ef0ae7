import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { type Trouble, troubleOf } from '../../src/sessions/sqlite-errors.ts';

test.each<[string, Trouble]>([
  // A file that is shorter than it says of itself is damaged; other errors of the disk pass.
  ['SQLITE_IOERR_SHORT_READ', 'damaged'],
  ['SQLITE_IOERR_READ', 'no-disk'],
  ['SQLITE_FULL', 'no-disk'],
  ['SQLITE_CANTOPEN', 'no-disk'],
  ['SQLITE_READONLY', 'no-disk'],
  ['SQLITE_READONLY_DBMOVED', 'moved'],
  ['SQLITE_BUSY_SNAPSHOT', 'busy'],
  ['SQLITE_CORRUPT_INDEX', 'damaged'],
  ['SQLITE_NOTADB', 'damaged'],
  ['SQLITE_CONSTRAINT_FOREIGNKEY', 'no-parent'],
  ['SQLITE_MISUSE', 'other'],
])('%s means %s', (code, trouble) => {
  expect(troubleOf(new SqliteDatabase.SqliteError('as SQLite says it', code))).toBe(trouble);
});
