/** Nothing in the index is needed to train on: whatever it is asked, damage answers like ignorance. */
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';
import { SessionIndex } from '../../src/supervisor/session-index.ts';
import { openTestDatabase } from '../sessions/open-test-database.ts';
import { sessionRow } from '../sessions/rows.ts';

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
