/** Nothing in the index is needed to train on: whatever it is asked, damage answers like ignorance. */
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { SessionIndex } from '../../src/supervisor/session-index.ts';
import { openTestDatabase } from '../sessions/open-test-database.ts';
import { attemptRow, checkpointRow, sessionRow } from '../sessions/rows.ts';

const QUESTIONS: Readonly<Record<string, (index: SessionIndex) => unknown>> = {
  reached: (index) => index.reached(),
  lastCheckpointAt: (index) => index.lastCheckpointAt(),
  everCommitted: (index) => index.everCommitted(),
  resumedFrom: (index) => index.resumedFrom(1),
  longestSaveMs: (index) => index.longestSaveMs(),
  knows: (index) => index.knows(1, true),
  present: (index) => index.present().length,
};

function damage(path: string): void {
  // Behind the back of the open connection, with its log emptied first.
  const other = new SqliteDatabase(path);
  other.pragma('wal_checkpoint(TRUNCATE)');
  other.close();
  const file = openSync(path, 'r+');
  for (let at = 0; at < statSync(path).size; at += 4096) writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, at);
  closeSync(file);
}

test.each(Object.keys(QUESTIONS))('%s of a database that is damaged under us', async (question) => {
  const { path, database, news } = openTestDatabase();
  await database.write(({ sessions }) => sessions.upsert(sessionRow('s', { step: 7 })));
  const index = new SessionIndex(database, 's', () => new Date());
  damage(path);
  expect(QUESTIONS[question]?.(index)).toBeFalsy();
  await index.patchSession({ state: 'running' });
  expect(news).toEqual([{ kind: 'replaced', setAside: expect.stringContaining('.damaged-') }]);
});

test('the end of an attempt that was written first stays', async () => {
  const { database } = openTestDatabase();
  await database.write(({ sessions, attempts }) => {
    sessions.upsert(sessionRow('s'));
    attempts.upsert(attemptRow('s', 1));
  });
  const index = new SessionIndex(database, 's', () => new Date());
  const end = { endedAt: '2026-11-22T12:05:00.000Z', class: 'hang', reason: 'no beat', signal: 'SIGKILL' };
  await index.attemptEnded(1, end);
  await index.attemptEnded(1, { ...end, endedAt: '2026-11-22T12:09:00.000Z', class: 'killed' });
  expect(database.read(({ attempts }) => attempts.find('s', 1), null)).toMatchObject(end);
});

test('attempts that nobody wrote an end of, and that are over, get one', async () => {
  const { database } = openTestDatabase();
  const ended = attemptRow('s', 1, { endedAt: '2026-11-22T12:01:00.000Z', class: 'completed' });
  const forgotten = [attemptRow('s', 2), attemptRow('s', 3, { startedAt: '2026-11-22T13:00:00.000Z' })];
  await database.write(({ sessions, attempts, checkpoints }) => {
    sessions.upsert(sessionRow('s'));
    checkpoints.upsert(checkpointRow('s', 30));
    sessions.upsert(sessionRow('other'));
    for (const row of [ended, ...forgotten, attemptRow('s', 4), attemptRow('other', 2)]) attempts.upsert(row);
  });
  await new SessionIndex(database, 's', () => new Date()).endForgotten(4);
  const rows = database.read(({ attempts }) => [...attempts.ofSession('s'), ...attempts.ofSession('other')], []);
  expect(rows.map(({ class: exitClass, endedAt }) => [exitClass, endedAt])).toEqual([
    ['completed', ended.endedAt],
    ['vanished', '2026-11-22T12:30:00.000Z'],
    ['vanished', '2026-11-22T13:00:00.000Z'],
    [null, null],
    [null, null],
  ]);
});
