import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openSessions } from '../../src/sessions/open.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { waitFor } from '../rig/wait-for.ts';
import { openTestDatabase } from './open-test-database.ts';
import { otherProcess } from './other-process.ts';
import { attemptRow, sessionRow } from './rows.ts';

test('two processes write at once and lose nothing', async () => {
  const { path, database } = openTestDatabase();
  await database.write(({ sessions }) => {
    sessions.upsert(sessionRow('ours'));
    sessions.upsert(sessionRow('theirs'));
  });
  const child = otherProcess(
    path,
    `
    for (let number = 1; number <= 200; number += 1) {
      await database.write(({ attempts }) => attempts.upsert({ ...${JSON.stringify(attemptRow('theirs', 0))}, number }));
    }
    database.close();`,
  );
  const exited = once(child, 'exit');
  const outcomes = new Set<string>();
  for (let number = 1; number <= 200; number += 1) {
    outcomes.add(await database.write(({ attempts }) => attempts.upsert(attemptRow('ours', number))));
    await new Promise(setImmediate);
  }
  expect((await exited)[0]).toBe(0);
  expect(outcomes).toEqual(new Set(['written']));
  expect(database.attempts.ofSession('ours')).toHaveLength(200);
  expect(database.attempts.ofSession('theirs')).toHaveLength(200);
});

test('a database that another process holds is waited for without holding the event loop, and in order', async () => {
  const { path, database, news } = openTestDatabase();
  await database.write(({ sessions }) => sessions.upsert(sessionRow('s')));
  const holder = new SqliteDatabase(path);
  holder.exec('BEGIN IMMEDIATE');
  let turns = 0;
  const ticking = setInterval(() => {
    turns += 1;
    if (turns === 5) holder.exec('COMMIT');
  }, 1);
  const writes = ['one', 'two', 'three'].map((event) =>
    database.write(({ transitions }) =>
      transitions.record({ session: 's', at: '', attempt: 1, from: 'a', event, to: 'b', detail: null }),
    ),
  );
  expect(await Promise.all(writes)).toEqual(['written', 'written', 'written']);
  clearInterval(ticking);
  holder.close();
  expect(turns).toBeGreaterThanOrEqual(5);
  expect(database.transitions.ofSession('s').map(({ event }) => event)).toEqual(['one', 'two', 'three']);
  expect(news).toEqual([]);
});

test('who waits too long for another process goes on, and the write is made up for', async () => {
  let elapsedMs = 0;
  const { path, database, news } = openTestDatabase(undefined, { monotonicMs: () => (elapsedMs += 6_000) });
  await database.write(({ sessions }) => sessions.upsert(sessionRow('s')));
  const holder = new SqliteDatabase(path);
  holder.exec('BEGIN IMMEDIATE');
  await expect(database.write(({ sessions }) => sessions.setState('s', 'crashed', 'now'))).resolves.toBe('queued');
  expect(database.degraded).toMatch(/locked/);
  expect(database.sessions.find('s')?.state).toBe('running');
  holder.exec('COMMIT');
  holder.close();
  await waitFor('the write is made up for', () => database.degraded === null);
  expect(database.sessions.find('s')?.state).toBe('crashed');
  expect(news).toEqual([
    { kind: 'degraded', reason: expect.any(String) },
    { kind: 'recovered', written: 1, lost: 0 },
  ]);
});

test('what was written survives the kill -9 of its writer', async () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  const child = otherProcess(
    path,
    `
    await database.write(({ sessions }) => sessions.upsert(${JSON.stringify(sessionRow('s'))}));
    for (let number = 1; ; number += 1) {
      await database.write(({ attempts }) => attempts.upsert({ ...${JSON.stringify(attemptRow('s', 0))}, number }));
      process.stdout.write(number + '\\n');
    }`,
  );
  let told = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  await waitFor('fifty rows', () => told.split('\n').length > 50);
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  const last = Number(
    told
      .trimEnd()
      .split('\n')
      .filter((line) => /^\d+$/.test(line))
      .at(-1),
  );
  const { database, setAside } = openTestDatabase(path);
  expect(setAside).toBeNull();
  expect(database.attempts.ofSession('s').length).toBeGreaterThanOrEqual(last);
});

test('a write that is wrong in itself rejects and takes no other with it', async () => {
  const { database, news } = openTestDatabase();
  const wrong = database.write(({ sessions }) => {
    sessions.upsert(sessionRow('half'));
    throw new TypeError('a bug');
  });
  const right = database.write(({ sessions }) => sessions.upsert(sessionRow('right')));
  await expect(wrong).rejects.toThrow('a bug');
  await expect(right).resolves.toBe('written');
  expect(database.sessions.list().map(({ id }) => id)).toEqual(['right']);
  await expect(database.write(({ attempts }) => attempts.upsert(attemptRow('nobody', 1)))).resolves.toBe('dropped');
  expect(news).toEqual([{ kind: 'dropped', reason: expect.stringContaining('FOREIGN KEY') }]);
  database.close();
  await expect(database.write(() => undefined)).rejects.toThrow('closed');
});

test('writes from inside a write and from a listener follow the ones before them', async () => {
  const { database } = openTestDatabase();
  let inner: Promise<string> | null = null;
  await database.write(({ sessions }) => {
    sessions.upsert(sessionRow('s'));
    inner = database.write(({ attempts }) => attempts.upsert(attemptRow('s', 1)));
  });
  await expect(inner).resolves.toBe('written');
});

test('a file that is deleted in mid-run is replaced, refilled, and told', async () => {
  const { path, database, news } = openTestDatabase(undefined, {
    refill: ({ sessions }) => sessions.upsert(sessionRow('s', { step: 7 })),
  });
  await database.write(({ sessions }) => sessions.upsert(sessionRow('s')));
  rmSync(dirname(path), { recursive: true });
  await expect(database.write(({ attempts }) => attempts.upsert(attemptRow('s', 1)))).resolves.toBe('written');
  expect(news).toEqual([{ kind: 'replaced', setAside: null }]);
  database.close();
  const again = openTestDatabase(path);
  expect(again.database.sessions.find('s')?.step).toBe(7);
  expect(again.database.attempts.ofSession('s')).toHaveLength(1);
});

test('two connections of one file follow one another to the new one', async () => {
  const { path, database } = openTestDatabase();
  await database.write(({ sessions }) => sessions.upsert(sessionRow('old')));
  renameSync(path, `${path}.elsewhere`);
  const other = openTestDatabase(path);
  await other.database.write(({ sessions }) => sessions.upsert(sessionRow('theirs')));
  await database.write(({ sessions }) => sessions.upsert(sessionRow('ours')));
  expect(
    other.database.sessions
      .list()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['ours', 'theirs']);
});

test('damage that shows in use is told, and the next opening makes way', async () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  const first = openSessions(path).database;
  // Past the size up to which every opening checks the whole file.
  await first.write(({ sessions }) => {
    for (let i = 0; i < 3000; i += 1) sessions.upsert(sessionRow(`s${i}`, { args: ['x'.repeat(2000)] }));
  });
  first.close();
  const file = openSync(path, 'r+');
  for (let at = 1_048_576; at < statSync(path).size; at += 4096) writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, at);
  closeSync(file);
  const { database } = openTestDatabase(path);
  expect(() => database.sessions.list()).toThrow(expect.objectContaining({ code: 'database-damaged', path }));
  database.close();
  const again = openTestDatabase(path);
  expect(again.setAside).not.toBeNull();
  expect(again.database.sessions.list()).toEqual([]);
  expect(existsSync(`${path}.damaged`)).toBe(false);
  expect(openTestDatabase(path).setAside).toBeNull();
});

test('damage met by a write: a new file takes it at once', async () => {
  const { path, database, news } = openTestDatabase(undefined, {
    refill: ({ sessions }) => sessions.upsert(sessionRow('s')),
  });
  await database.write(({ sessions }) => sessions.upsert(sessionRow('s')));
  // Behind the back of the open connection, with its log emptied first.
  const other = new SqliteDatabase(path);
  other.pragma('wal_checkpoint(TRUNCATE)');
  other.close();
  const file = openSync(path, 'r+');
  for (let at = 0; at < statSync(path).size; at += 4096) writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, at);
  closeSync(file);
  await expect(database.write(({ attempts }) => attempts.upsert(attemptRow('s', 1)))).resolves.toBe('written');
  expect(database.attempts.ofSession('s')).toHaveLength(1);
  expect(news).toEqual([{ kind: 'replaced', setAside: expect.stringContaining('.damaged-') }]);
});

test('the writes that are kept are bounded', async () => {
  let elapsedMs = 0;
  const { path, database } = openTestDatabase(undefined, { monotonicMs: () => (elapsedMs += 20_000) });
  await database.write(({ sessions }) => sessions.upsert(sessionRow('s')));
  const holder = new SqliteDatabase(path);
  holder.exec('BEGIN IMMEDIATE');
  for (let step = 0; step < 10_500; step += 1) {
    void database.write(({ sessions }) =>
      sessions.recordProgress('s', { epoch: 0, step, totalSteps: null, loss: null }, ''),
    );
  }
  await waitFor('it goes on in memory', () => database.degraded !== null);
  holder.exec('COMMIT');
  holder.close();
  expect(database.close()).toEqual({ lost: 500 });
  expect(openTestDatabase(path).database.sessions.find('s')?.step).toBe(10_499);
});

test('a write-ahead log that is deleted in mid-run is noticed at the next write, and its rows are saved', async () => {
  const { path, database } = openTestDatabase();
  await database.write(({ sessions }) => sessions.upsert(sessionRow('before')));
  rmSync(`${path}-wal`);
  await database.write(({ sessions }) => sessions.upsert(sessionRow('after')));
  // Another process sees both while the first still has the file open.
  const seen = openTestDatabase(path).database.sessions.list();
  expect(seen.map(({ id }) => id).sort()).toEqual(['after', 'before']);
});

test('a directory in place of the database is said, with what helps', () => {
  const path = join(temporaryDirectory(), 'sessions.db');
  mkdirSync(path);
  expect(() => openSessions(path)).toThrow(
    expect.objectContaining({ code: 'io', hint: expect.stringContaining('repair') }),
  );
});
