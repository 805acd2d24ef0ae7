/** Opens the database file: permissions, integrity, journal, migrations; a damaged one makes way for a new one. */

import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { errnoOf, NkatError } from '../errors.ts';
import { makeDirectory } from '../make-directory.ts';
import { fileSystemType, isNetworkType } from './file-system.ts';
import { MIGRATIONS, migrate, refuseNewer } from './migrations.ts';
import { setDatabaseAside } from './set-aside.ts';
import { isDiskErrno, troubleOf } from './sqlite-errors.ts';

/** How long a statement may wait for another process; SQLite sleeps with the event loop held. */
export const BUSY_TIMEOUT_MS = 100;
/** The first opening happens before there is an event loop worth keeping free, and may wait for another's migration. */
const OPENING_BUSY_TIMEOUT_MS = 5_000;
/** Up to this size the check costs a few milliseconds and is made at every open; larger files once a boot. */
const ALWAYS_CHECKED_BYTES = 4 * 1024 * 1024;
/** Openings that find damage, or nothing: each may be another process that makes way for a new file. */
const MOST_TRIES = 5;
const MODE_FILE = 0o600;
const MODE_DIRECTORY = 0o700;

export interface FileOptions {
  /** How long the opening may hold the event loop while another process is at the file; default 5 s. */
  readonly busyMs?: number;
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
  let setAside: string | null = null;
  for (let tries = 1; ; tries += 1) {
    prepare(path);
    const inode = inodeAt(path);
    try {
      return { ...openChecked(path, options), setAside };
    } catch (error) {
      const isDamaged = troubleOf(error) === 'damaged';
      if (!isDamaged && errnoOf(error) !== 'ENOENT') throw error;
      if (tries === MOST_TRIES) throw restless(path, error);
      if (!isDamaged) continue;
      // Another process may have found the same and put a new file here meanwhile: that one stays.
      if (inodeAt(path) === inode) setAside = setDatabaseAside(path, options.now()) ?? setAside;
      rmSync(damageMark(path), { force: true });
    }
  }
}

function restless(path: string, cause: unknown): NkatError {
  return new NkatError('something keeps damaging or removing the session database', {
    code: 'io',
    operation: 'open the session database',
    path,
    hint: 'Find what else writes there, or name another state home with NKAT_HOME.',
    cause,
  });
}

/**
 * Says that the file proved damaged while it was used, so that the next opening sets it aside.
 * @param inode of the file that did: another one that stands there by now is whole as far as anybody knows
 */
export function markDamaged(path: string, inode: bigint): void {
  if (inodeAt(path) !== inode) return;
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
  makeHome(dirname(path));
  try {
    makeIfMissing(path);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
    if (found === undefined) return;
    accessSync(path, constants.R_OK | constants.W_OK);
    if ((found.mode & 0o077) !== 0) chmodSync(path, MODE_FILE);
  } catch (error) {
    if (isDiskErrno(errnoOf(error))) throw error;
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

function makeHome(folder: string): void {
  try {
    makeDirectory(folder, MODE_DIRECTORY);
  } catch (error) {
    if (errnoOf(error) === null || isDiskErrno(errnoOf(error))) throw error;
    throw new NkatError(`the state home cannot be made there (${errnoOf(error)})`, {
      code: 'io',
      operation: 'make the state home',
      path: folder,
      hint: 'Name a folder that you may write to with NKAT_HOME, or leave NKAT_HOME out for the default one.',
      cause: error,
    });
  }
}

/**
 * Never by opening one that is there: with the descriptor that is closed then, the kernel would drop the locks that a
 * connection of this process holds on it.
 */
function makeIfMissing(path: string): void {
  try {
    closeSync(openSync(path, 'ax', MODE_FILE));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

function openChecked(path: string, options: FileOptions): Omit<OpenFile, 'setAside'> {
  const inode = statSync(path, { bigint: true }).ino;
  const database = new SqliteDatabase(path, { timeout: options.busyMs ?? OPENING_BUSY_TIMEOUT_MS });
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
