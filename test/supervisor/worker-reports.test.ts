import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { storeLayout } from '../../src/checkpoint/layout.ts';
import { newSessionFile } from '../../src/checkpoint/session-file.ts';
import { DEFAULT_SETTINGS } from '../../src/config/settings.ts';
import type { MessageOf, WorkerMessage } from '../../src/protocol/messages.ts';
import { SessionIndex } from '../../src/supervisor/session-index.ts';
import { SessionRecord } from '../../src/supervisor/session-record.ts';
import { WorkerReports } from '../../src/supervisor/worker-reports.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { openTestDatabase } from '../sessions/open-test-database.ts';
import { sessionRow } from '../sessions/rows.ts';

const ID = '20261122_120000_aaaa';

const progress = (phase: 'load' | 'train', step: number): MessageOf<WorkerMessage, 'progress'> => ({
  ...{ v: 1, type: 'progress', phase, epoch: 0, epochs: null, step, totalSteps: null, percent: null, loss: null },
  ...{ metrics: {}, stepsPerSecond: null, best: null, lastStepAgeMs: 0, skippedSaves: 0, report: null, waiting: null },
});

test('a worker that still loads its checkpoint is at no step yet: the index keeps where the session was', async () => {
  const { database } = openTestDatabase();
  await database.write(({ sessions }) => sessions.upsert(sessionRow(ID, { step: 148 })));
  const root = temporaryDirectory();
  const layout = storeLayout(root, join(root, 'backups'), ID);
  const now = (): Date => new Date(0);
  const nowMs = (): number => 0;
  const identity = { cwd: root, trainer: join(root, 'train.mjs'), args: [], name: null };
  const file = newSessionFile({
    ...{ id: ID, identity, token: 'x', sourceDigest: null, backups: layout.backups, now: now() },
  });
  const index = new SessionIndex(database, ID, now);
  const record = new SessionRecord(nodeFiles, layout.directory, file, now, nowMs);
  const settings = { ...DEFAULT_SETTINGS, root, backups: layout.backups };
  const context = {
    ...{ files: nodeFiles, layout, record, index, settings, outputDirectory: root, claim: 1 },
    ...{ tell: () => undefined, nowMs, now },
  };
  const reports = new WorkerReports(
    context,
    () => undefined,
    () => undefined,
  );
  const listed = async (message: WorkerMessage & { type: 'progress' }): Promise<number | null | undefined> => {
    reports.take(message);
    index.flush();
    return database.sessions.find(ID)?.step;
  };
  expect(await listed(progress('load', 0))).toBe(148);
  expect(await listed(progress('train', 143))).toBe(143);
});
