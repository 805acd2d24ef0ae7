/** Opens the database file: permissions, integrity, journal, migrations; a damaged one makes way for a new one. */
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { errnoOf, NkatError } from '../errors.ts';
import { fileSystemType, isNetworkType } from './file-system.ts';
import { MIGRATIONS, migrate, refuseNewer } from './migrations.ts';
import { setDatabaseAside } from './set-aside.ts';
import { troubleOf } from './sqlite-errors.ts';

/** How long a statement may wait for another process; SQLite sleeps with the event loop held. */
const BUSY_TIMEOUT_MS = 100;
/** Opening happens before there is an event loop worth keeping free, and may wait for another's migration. */
const OPENING_BUSY_TIMEOUT_MS = 5_000;
/** Up to this size the check costs a few milliseconds and is made at every open; larger files once a boot. */
const ALWAYS_CHECKED_BYTES = 4 * 1024 * 1024;
const MODE_FILE = 0o600;
const MODE_DIRECTORY = 0o700;

export interface FileOptions {
  readonly now: () => Date;
  /** `f_type` of the file system of a path. */
  readonly fileSystemType: (path: string) => number;
}

export const defaultFileOptions: FileOptions = { now: () => new Date(), fileSystemType };

export interface OpenFile {
  readonly database: Database;
  /** Which file it is: a path can be deleted and made anew under an open connection. */
  readonly inode: bigint;
  /** Where the damaged one went that stood here before; null: there was none. */
  readonly setAside: string | null;
}

/**
 * @throws NkatError 'database-newer', 'io' when the file may not be opened; SqliteError when the disk is full or failing.
 */
export function openFile(path: string, options: FileOptions = defaultFileOptions): OpenFile {
  prepare(path);
  const inode = inodeAt(path);
  try {
    return { ...openChecked(path, options), setAside: null };
  } catch (error) {
    if (troubleOf(error) !== 'damaged') throw error;
    // Another process may have found the same and put a new file here meanwhile: that one stays.
    const setAside = inodeAt(path) === inode ? setDatabaseAside(path, options.now()) : null;
    rmSync(damageMark(path), { force: true });
    prepare(path);
    return { ...openChecked(path, options), setAside };
  }
}

/** Says that the file proved damaged while it was used, so that the next opening sets it aside. */
export function markDamaged(path: string): void {
  try {
    writeFileSync(damageMark(path), '', { mode: MODE_FILE });
  } catch (error) {
    // The mark only saves the next reader from finding the same; the damage itself is reported either way.
    if (troubleOf(error) !== 'no-disk') throw error;
  }
}

/** Which file stands at this path; null: none. */
export function inodeAt(path: string): bigint | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}

/** A database in memory with the same tables, for the time that the disk gives no room for one. */
export function openInMemory(): Database {
  const database = new SqliteDatabase(':memory:');
  database.pragma('foreign_keys = OFF');
  migrate(database);
  return database;
}

/** SQLite gives its side files the mode of the database, so that this decides for all three. */
function prepare(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: MODE_DIRECTORY });
    closeSync(openSync(path, 'a', MODE_FILE));
    const { mode } = statSync(path);
    if ((mode & 0o077) !== 0) chmodSync(path, MODE_FILE);
  } catch (error) {
    if (troubleOf(error) === 'no-disk') throw error;
    throw new NkatError(`the session database cannot be opened (${errnoOf(error)})`, {
      code: 'io',
      operation: 'open the session database',
      path,
      hint:
        errnoOf(error) === 'EISDIR'
          ? 'A directory stands in its place: nkat-recover repair sets it aside.'
          : 'Check the permissions of the state home, or name another one with NKAT_HOME.',
      cause: error,
    });
  }
}

function openChecked(path: string, options: FileOptions): Omit<OpenFile, 'setAside'> {
  const inode = statSync(path, { bigint: true }).ino;
  const database = new SqliteDatabase(path, { timeout: OPENING_BUSY_TIMEOUT_MS });
  try {
    // First of all, so that the file of a newer version is left exactly as it was.
    refuseNewer(database);
    if (inodeAt(damageMark(path)) !== null) throw damage('it proved damaged in use');
    if (statSync(path).size <= ALWAYS_CHECKED_BYTES) check(database);
    // No WAL where another machine may write, which does not share our memory.
    const wal = !isNetworkType(options.fileSystemType(dirname(path)));
    database.pragma(`journal_mode = ${wal ? 'WAL' : 'DELETE'}`);
    // FULL: a row that was written survives a power cut; WAL alone would only promise consistency.
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    migrate(database);
    checkOnceEachBoot(database);
    database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return { database, inode };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** @throws SqliteError SQLITE_CORRUPT when the structure of the file is broken. */
function check(database: Database): void {
  const verdict: unknown = database.pragma('quick_check(1)', { simple: true });
  if (verdict !== 'ok') throw damage(String(verdict));
}

function damage(what: string): Error {
  return new SqliteDatabase.SqliteError(what, 'SQLITE_CORRUPT');
}

/** Tells the migrations of one development version from those of another, as far as a new check goes. */
const SCHEMA_MARK = MIGRATIONS.map((step) => step.length).join('.');

const COLUMNS = `SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'`;

/** Looked at before anything is asked, so that a column that lacks is found now and not in the midst of a run. */
function checkSchema(database: Database): void {
  const found = new Set(database.prepare<[], string>(COLUMNS).pluck().all());
  const ours = openInMemory();
  const lacking = ours
    .prepare<[], string>(COLUMNS)
    .pluck()
    .all()
    .find((column) => !found.has(column));
  ours.close();
  if (lacking !== undefined) throw damage(`it lacks ${lacking}`);
}

/**
 * A killed process cannot damage the file, a power cut on a lying disk can: so a large one is checked once a boot, and once
 * by each version.
 */
function checkOnceEachBoot(database: Database): void {
  const mark = `${bootIdentity()} ${SCHEMA_MARK}`;
  const checked = database.prepare<[], string>(`SELECT value FROM facts WHERE name = 'checked-in-boot'`).pluck().get();
  if (checked === mark) return;
  check(database);
  checkSchema(database);
  try {
    database.prepare(`INSERT OR REPLACE INTO facts (name, value) VALUES ('checked-in-boot', ?)`).run(mark);
  } catch (error) {
    // Not worth more than a second check: a full disk must not keep anybody from reading.
    if (!['no-disk', 'busy'].includes(troubleOf(error))) throw error;
  }
}

function bootIdentity(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch (error) {
    // Platforms without one: the file is checked at its first opening and whenever it is small or suspect.
    if (errnoOf(error) === 'ENOENT') return 'unknown';
    throw error;
  }
}

function damageMark(path: string): string {
  return `${path}.damaged`;
}
