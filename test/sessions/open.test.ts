import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { isNetworkType } from '../../src/sessions/file-system.ts';
import { MIGRATIONS, migrate, versionOf } from '../../src/sessions/migrations.ts';
import { openSessions } from '../../src/sessions/open.ts';
import { markDamaged, openFile } from '../../src/sessions/open-file.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { openTestDatabase } from './open-test-database.ts';
import { checkpointRow, sessionRow } from './rows.ts';

const options = { now: () => new Date('2026-11-22T12:00:00Z'), fileSystemType: () => 0xef53 };

test('journal, durability and foreign keys are set at every open', () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  for (let open = 0; open < 2; open += 1) {
    const { database } = openFile(path, options);
    const pragma = (name: string) => database.pragma(name, { simple: true });
    expect(pragma('journal_mode')).toBe('wal');
    // 2 is FULL.
    expect(pragma('synchronous')).toBe(2);
    expect(pragma('foreign_keys')).toBe(1);
    expect(pragma('busy_timeout')).toBe(100);
    expect(versionOf(database)).toBe(MIGRATIONS.length);
    database.close();
  }
});

test('there is no WAL on a network file system, not even one that was there before', () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  openFile(path, options).database.close();
  const { database } = openFile(path, { ...options, fileSystemType: () => 0x6969 });
  expect(database.pragma('journal_mode', { simple: true })).toBe('delete');
  expect(database.pragma('synchronous', { simple: true })).toBe(2);
  database.close();
  expect(isNetworkType(0xef53)).toBe(false);
  // CIFS, as platforms with signed numbers report it.
  expect(isNetworkType(0xff534d42 | 0)).toBe(true);
});

test('files are private, also where the mask of the process would allow more', () => {
  const previous = process.umask(0);
  try {
    const { path, database } = openTestDatabase();
    void database.write(({ sessions }) => sessions.upsert(sessionRow('s')));
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(`${path}${suffix}`).mode & 0o777).toBe(0o600);
  } finally {
    process.umask(previous);
  }
});

test('a database of version 1 is brought forward step by step; a step that fails changes nothing', () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  const [first] = MIGRATIONS;
  const database = new SqliteDatabase(path);
  migrate(database, [first ?? '']);
  database.prepare(`INSERT INTO facts VALUES ('kept', 'yes')`).run();
  expect(versionOf(database)).toBe(1);
  const second = 'ALTER TABLE sessions ADD COLUMN colour TEXT';
  const broken = 'CREATE TABLE half (a); CREATE TABLE half (b)';
  expect(() => migrate(database, [first ?? '', second, broken])).toThrow('already exists');
  expect(versionOf(database)).toBe(2);
  expect(database.prepare(`SELECT count(*) FROM sqlite_schema WHERE name = 'half'`).pluck().get()).toBe(0);
  migrate(database, [first ?? '', second, 'CREATE TABLE whole (a)']);
  expect(versionOf(database)).toBe(3);
  expect(database.prepare('SELECT value FROM facts').pluck().get()).toBe('yes');
  database.close();
});

test('the database of a newer nkat-recover is refused and left as it was', () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  const newer = new SqliteDatabase(path);
  newer.pragma(`user_version = ${MIGRATIONS.length + 1}`);
  newer.close();
  const before = readFileSync(path);
  expect(() => openSessions(path)).toThrow(
    expect.objectContaining({ code: 'database-newer', path, hint: expect.stringContaining('NKAT_HOME') }),
  );
  expect(readFileSync(path)).toEqual(before);
  expect(readdirSync(dirname(path))).toEqual(['sessions.db']);
});

test('what may not be opened is refused in words', () => {
  const path = join(temporaryDirectory(), 'file', 'sessions.db');
  writeFileSync(dirname(path), 'in the way');
  expect(() => openSessions(path)).toThrow(expect.objectContaining({ code: 'io', path: dirname(path) }));
});

/** A database with enough rows for pages of every sort, closed properly. */
function filled(): string {
  const path = join(temporaryDirectory(), 'sessions.db');
  const { database } = openSessions(path);
  void database.write(({ sessions, checkpoints }) => {
    for (let i = 0; i < 50; i += 1) {
      sessions.upsert(sessionRow(`session-${i}`));
      for (let sequence = 1; sequence < 10; sequence += 1) checkpoints.upsert(checkpointRow(`session-${i}`, sequence));
    }
  });
  database.close();
  return path;
}

const damages: [string, (path: string) => void][] = [
  ['text instead of a database', (path) => writeFileSync(path, 'this is no database, '.repeat(500))],
  ['half of the file gone', (path) => truncateSync(path, Math.floor(statSync(path).size / 2))],
  [
    'zeros in every page behind the first',
    (path) => {
      const file = openSync(path, 'r+');
      for (let at = 4096; at < statSync(path).size; at += 4096) writeSync(file, Buffer.alloc(512), 0, 512, at);
    },
  ],
];

test.each(damages)('%s: it is set aside with its side files and a new one stands in its place', (_name, damage) => {
  const path = filled();
  damage(path);
  writeFileSync(`${path}-shm`, 'side file');
  const damaged = readFileSync(path);
  const { database, setAside } = openTestDatabase(path, options);
  expect(setAside).toBe(`${path}.damaged-20261122T120000Z`);
  expect(readFileSync(setAside ?? '')).toEqual(damaged);
  expect(database.sessions.list()).toEqual([]);
  expect(database.degraded).toBeNull();
});

/** One page of rows that no opening needs to read. */
function damageOnePage(path: string): void {
  const file = openSync(path, 'r+');
  const pages = statSync(path).size / 4096;
  writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, Math.floor(pages / 2) * 4096);
  closeSync(file);
}

test('the version of ours with the tables of another development version: set aside, and said like damage', () => {
  const { path, database } = openTestDatabase();
  database.close();
  const other = new SqliteDatabase(path);
  // Checked by the other version, so that only its tables tell.
  other.exec(`ALTER TABLE sessions DROP COLUMN report; UPDATE facts SET value = 'of another version'`);
  other.close();
  const { database: rebuilt, setAside } = openTestDatabase(path, options);
  expect(setAside).toBe(`${path}.damaged-20261122T120000Z`);
  expect(rebuilt.sessions.list({})).toEqual([]);
});

test('a step that finds other tables than its version says: set aside as well', () => {
  const { path, database } = openTestDatabase();
  database.close();
  const other = new SqliteDatabase(path);
  other.exec(
    'DROP INDEX sessions_watched; DROP INDEX sessions_by_root; ALTER TABLE sessions DROP COLUMN indexed_change',
  );
  other.pragma('user_version = 1');
  other.close();
  expect(openTestDatabase(path, options).setAside).not.toBeNull();
});

test('one damaged page in a small file is found at every opening', () => {
  const path = filled();
  damageOnePage(path);
  expect(openTestDatabase(path, options).setAside).not.toBeNull();
});

test('one damaged page in a large file is found at the first opening after a boot', () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  const { database } = openSessions(path);
  void database.write(({ sessions }) => {
    for (let i = 0; i < 3000; i += 1) sessions.upsert(sessionRow(`s${i}`, { args: ['x'.repeat(2000)] }));
  });
  database.close();
  damageOnePage(path);
  const sameBoot = openSessions(path);
  expect(sameBoot.setAside).toBeNull();
  sameBoot.database.close();
  const raw = new SqliteDatabase(path);
  raw.exec(`UPDATE facts SET value = 'an earlier boot' WHERE name = 'checked-in-boot'`);
  raw.close();
  expect(openTestDatabase(path, options).setAside).not.toBeNull();
});

test('the log goes with the file that is set aside, also while somebody has it open', async () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  const holder = openTestDatabase(path);
  await holder.database.write(({ sessions }) => sessions.upsert(sessionRow('in the log')));
  // What a reader leaves that met damage.
  writeFileSync(`${path}.damaged`, '');
  const { database, setAside } = openTestDatabase(path, options);
  expect(database.sessions.list()).toEqual([]);
  expect(statSync(`${setAside}-wal`).size).toBeGreaterThan(0);
  const old = new SqliteDatabase(setAside ?? '');
  expect(old.prepare('SELECT id FROM sessions').pluck().all()).toEqual(['in the log']);
  old.close();
});

test('a second damaged one of the same second gets a name of its own', () => {
  const path = filled();
  const copy = `${path}.damaged-20261122T120000Z`;
  copyFileSync(path, copy);
  writeFileSync(path, 'damaged again, and long enough to be looked at');
  const { setAside } = openTestDatabase(path, options);
  expect(setAside).toBe(`${copy}-2`);
  expect(existsSync(copy)).toBe(true);
});

test('an empty file, as a full disk may leave it, is a new database', () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  writeFileSync(path, '');
  const { database, setAside } = openTestDatabase(path);
  expect(setAside).toBeNull();
  expect(database.sessions.list()).toEqual([]);
});

test('a database that is damaged whenever it is opened is refused in the end, and one of another process is kept', () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  let openings = 0;
  const damagedFor = (times: number) => () => {
    openings += 1;
    if (openings <= times) throw new SqliteDatabase.SqliteError('damaged', 'SQLITE_CORRUPT');
    return 0;
  };
  const now = () => new Date('2026-11-22T12:00:00Z');
  expect(() => openFile(path, { now, fileSystemType: damagedFor(Number.POSITIVE_INFINITY) })).toThrow(
    expect.objectContaining({ code: 'io', hint: expect.stringContaining('NKAT_HOME') }),
  );
  openings = 0;
  const opened = openFile(path, { now, fileSystemType: damagedFor(3) });
  expect(opened.setAside).not.toBeNull();
  // Whoever finds damage in a file that has made way by now must not mark the one in its place.
  markDamaged(path, opened.inode + 1n);
  expect(existsSync(`${path}.damaged`)).toBe(false);
  opened.database.close();
});
