/** What SQLite keeps beside the database is taken away, cut off or replaced under processes that have it open. */
import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openTestDatabase } from './open-test-database.ts';
import { ObedientProcess } from './other-process.ts';
import { sessionRow } from './rows.ts';

const upsert = (id: string): string =>
  `database.write(({ sessions }) => sessions.upsert(${JSON.stringify(sessionRow(id))}))`;
const IDS = 'database.sessions.list().map(({ id }) => id).sort()';

test.each([
  ['all of it', 0],
  ['all but a page', 4096],
])('shared memory is cut off, %s: who writes next lives, and nothing is lost', async (_how, bytes) => {
  const { path, database } = openTestDatabase();
  database.close();
  const writer = await new ObedientProcess(path).ready();
  expect(await writer.run(upsert('a'))).toBe('written');
  truncateSync(`${path}-shm`, bytes);
  expect(await writer.run(upsert('b'))).toBe('written');
  truncateSync(`${path}-shm`, bytes);
  expect(await writer.run('database.read(({ sessions }) => sessions.find("a").id, null)')).toBe('a');
  truncateSync(`${path}-shm`, bytes);
  // Closing reads it too.
  expect(await writer.end()).toEqual({ code: 0, signal: null });
  expect(
    openTestDatabase(path)
      .database.sessions.list()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['a', 'b']);
});

test('shared memory is deleted: who had it and who comes after write into one log, not over one another', async () => {
  const { path, database } = openTestDatabase();
  await database.write(({ sessions }) => sessions.upsert(sessionRow('a')));
  rmSync(`${path}-shm`);
  const other = await new ObedientProcess(path).ready();
  for (const round of [1, 2, 3]) {
    expect(await other.run(upsert(`theirs-${round}`))).toBe('written');
    await database.write(({ sessions }) => sessions.upsert(sessionRow(`ours-${round}`)));
  }
  const ids = ['a', 'ours-1', 'ours-2', 'ours-3', 'theirs-1', 'theirs-2', 'theirs-3'];
  expect(
    database.sessions
      .list()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(ids);
  expect(await other.run(IDS)).toEqual(ids);
  expect(await other.end()).toEqual({ code: 0, signal: null });
  database.close();
  const whole = new SqliteDatabase(path, { readonly: true });
  expect(whole.pragma('integrity_check', { simple: true })).toBe('ok');
  whole.close();
});

test('the log is cut off: the next to open finds damage, sets it aside, and the writer follows', async () => {
  const { path, database } = openTestDatabase();
  database.close();
  const writer = await new ObedientProcess(path).ready();
  expect(await writer.run(upsert('a'))).toBe('written');
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
  truncateSync(`${path}-wal`, 0);
  const next = openTestDatabase(path);
  expect(next.setAside).not.toBeNull();
  expect(await writer.run(upsert('b'))).toBe('written');
  expect(next.database.sessions.list().map(({ id }) => id)).toEqual(['b']);
  expect(await writer.end()).toEqual({ code: 0, signal: null });
});

test('a second opening in one process takes no lock from the first', async () => {
  const { path, database } = openTestDatabase();
  await database.write(({ sessions }) => sessions.upsert(sessionRow('a')));
  openTestDatabase(path).database.close();
  // Whoever takes himself for the last one that has it open removes the log when he closes.
  const other = await new ObedientProcess(path).ready();
  expect(await other.end()).toEqual({ code: 0, signal: null });
  expect(readdirSync(dirname(path))).toContain('sessions.db-wal');
  expect(await database.write(({ sessions }) => sessions.upsert(sessionRow('b')))).toBe('written');
});
