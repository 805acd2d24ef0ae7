/** How an attempt ended stands in the index before the session forgets the worker: a death between the two loses nothing. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { storeLayout } from '../../src/checkpoint/layout.ts';
import { newSessionFile } from '../../src/checkpoint/session-file.ts';
import { AttemptHands } from '../../src/supervisor/attempt-hands.ts';
import type { SessionContext } from '../../src/supervisor/session-context.ts';
import { SessionIndex } from '../../src/supervisor/session-index.ts';
import { SessionRecord } from '../../src/supervisor/session-record.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { openTestDatabase } from '../sessions/open-test-database.ts';
import { attemptRow, sessionRow } from '../sessions/rows.ts';

const WORKER = {
  attempt: 1,
  group: { pid: 7, startTime: '1', bootId: null },
  outputDirectory: '/o',
  resumedFrom: null,
  counted: true,
};

test('the end is in the index when the worker leaves session.json', async () => {
  const directory = temporaryDirectory();
  const { database } = openTestDatabase();
  await database.write(({ sessions, attempts }) => {
    sessions.upsert(sessionRow('s'));
    attempts.upsert(attemptRow('s', 1));
  });
  const now = (): Date => new Date('2026-11-22T12:05:00Z');
  const identity = { cwd: '/', trainer: '/t.ts', args: [], name: null };
  const file = newSessionFile({ id: 's', identity, token: 't', sourceDigest: null, backups: '/b', now: now() });
  const record = new SessionRecord(nodeFiles, directory, { ...file, worker: WORKER }, now, () => 0);
  const index = new SessionIndex(database, 's', now);
  const layout = storeLayout(directory, 's', join(directory, 'backups'));
  const context = { files: nodeFiles, layout, record, index, now, tell: () => undefined } as unknown as SessionContext;
  const atForgetting: unknown[] = [];
  const hands = new AttemptHands({
    context,
    persist: async () => {
      const row = database.read(({ attempts }) => attempts.find('s', 1), null);
      atForgetting.push([record.file.worker, row?.class, row?.signal, row?.endedAt]);
    },
    dispatch: () => undefined,
    launch: {} as never,
    channelDrained: async () => undefined,
    onEnded: () => undefined,
    cardEvidence: () => Promise.resolve(null),
    random: () => 0.5,
  });
  await hands.recordEnd({
    type: 'record-attempt-end',
    attempt: 1,
    end: { code: null, signal: 'SIGKILL', source: 'exit' },
    evidence: { stderrTail: [], oomRecord: null },
    classification: { class: 'killed', reason: 'SIGKILL' },
  });
  expect(atForgetting).toEqual([[null, 'killed', 'SIGKILL', '2026-11-22T12:05:00.000Z']]);
});
