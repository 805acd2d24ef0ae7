/** A newer nkat-recover brings the database forward while we have it open. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../src/sessions/migrations.ts';
import { openTestDatabase } from './open-test-database.ts';
import { attemptRow, sessionRow } from './rows.ts';

test.each([
  ['a column of ours has another name', 'ALTER TABLE attempts RENAME COLUMN reason TO why'],
  [
    'rows want more than ours have',
    `CREATE TRIGGER wants BEFORE INSERT ON attempts BEGIN SELECT RAISE(ABORT, 'where is its colour?'); END`,
  ],
])('%s: nothing is called damaged, writes are kept, reads go on with what they know', async (_how, change) => {
  const { path, database } = openTestDatabase();
  await database.write(({ sessions }) => sessions.upsert(sessionRow('a')));
  const newer = new SqliteDatabase(path);
  newer.exec(change);
  newer.pragma(`user_version = ${MIGRATIONS.length + 1}`);
  newer.close();
  expect(await database.write(({ attempts }) => attempts.upsert(attemptRow('a', 1)))).toBe('queued');
  expect(database.degraded).not.toBeNull();
  expect(database.read(({ attempts }) => attempts.find('a', 1), null)).toBeNull();
  expect(database.read(({ sessions }) => sessions.find('a')?.id, null)).toBe('a');
  database.close();
  expect(existsSync(`${path}.damaged`)).toBe(false);
  expect(readdirSync(dirname(path)).filter((name) => name.includes('damaged'))).toEqual([]);
});

test('a change that leaves ours as it was: writes go on', async () => {
  const { path, database } = openTestDatabase();
  await database.write(({ sessions }) => sessions.upsert(sessionRow('a')));
  const newer = new SqliteDatabase(path);
  newer.exec('ALTER TABLE attempts ADD COLUMN colour TEXT');
  newer.pragma(`user_version = ${MIGRATIONS.length + 1}`);
  newer.close();
  expect(await database.write(({ attempts }) => attempts.upsert(attemptRow('a', 1)))).toBe('written');
});
