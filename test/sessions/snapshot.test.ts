import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { newestSessions } from '../../src/sessions/newest-sessions.ts';
import { SessionsTable } from '../../src/sessions/sessions-table.ts';
import { snapshotOf } from '../../src/sessions/snapshot.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { openTestDatabase } from './open-test-database.ts';
import { sessionRow } from './rows.ts';

function idsIn(path: string): readonly string[] | null {
  const database = snapshotOf(path);
  return database === null ? null : new SessionsTable(database).list({}).map(({ id }) => id);
}

test('a snapshot holds what the file and its log say, also while somebody writes, and can be written itself', async () => {
  const { path, database } = openTestDatabase();
  await database.write(({ sessions }) => sessions.upsert(sessionRow('in-the-log')));
  expect(idsIn(path)).toEqual(['in-the-log']);
  expect(newestSessions(path, 10).map(({ id }) => id)).toEqual(['in-the-log']);
  database.close();
  const before = readFileSync(path);
  const copy = snapshotOf(path);
  if (copy === null) throw new Error('no snapshot');
  new SessionsTable(copy).upsert(sessionRow('only-in-memory'));
  expect(idsIn(path)).toEqual(['in-the-log']);
  expect(readFileSync(path)).toEqual(before);
});

test('nothing, an empty file and a damaged one give none, and are left as they are', () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  expect(snapshotOf(path)).toBeNull();
  for (const content of [
    '',
    'no database at all, and longer than the hundred bytes that the header of one has '.repeat(3),
  ]) {
    writeFileSync(path, content);
    expect(snapshotOf(path)).toBeNull();
    expect(newestSessions(path, 10)).toEqual([]);
    expect(readFileSync(path, 'utf8')).toBe(content);
  }
  expect(readdirSync(dirname(path))).toEqual(['sessions.db']);
});

test('other tables than the version says: a Tab offers nothing and leaves no mark', () => {
  const { path, database } = openTestDatabase();
  database.close();
  const other = new SqliteDatabase(path);
  other.exec('ALTER TABLE sessions DROP COLUMN report');
  other.close();
  expect(newestSessions(path, 10)).toEqual([]);
  expect(readdirSync(dirname(path)).filter((name) => name.includes('damaged'))).toEqual([]);
});

test('the database of a newer version is refused to a reader too, and offers nothing at a Tab', () => {
  const { path, database } = openTestDatabase();
  database.close();
  const newer = new SqliteDatabase(path);
  newer.pragma('user_version = 1000');
  newer.close();
  expect(() => snapshotOf(path)).toThrow('version 1000');
});
