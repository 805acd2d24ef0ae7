import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { storeLayout } from '../../src/checkpoint/layout.ts';
import { newSessionFile } from '../../src/checkpoint/session-file.ts';
import { DEFAULT_SETTINGS } from '../../src/config/settings.ts';
import type { MessageOf, WorkerMessage } from '../../src/protocol/messages.ts';
import type { SupervisorEvent } from '../../src/supervisor/events.ts';
import type { Happening } from '../../src/supervisor/machine/event.ts';
import type { SessionContext } from '../../src/supervisor/session-context.ts';
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

async function bench(tell: SessionContext['tell'] = () => undefined) {
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
    ...{ tell, nowMs, now },
  };
  const happenings: Happening[] = [];
  const reports = new WorkerReports(
    context,
    (happening) => happenings.push(happening),
    () => undefined,
  );
  return { database, index, reports, happenings };
}

test('a worker that still loads its checkpoint is at no step yet: the index keeps where the session was', async () => {
  const { database, index, reports } = await bench();
  const listed = async (message: WorkerMessage & { type: 'progress' }): Promise<number | null | undefined> => {
    reports.take(message);
    index.flush();
    return database.sessions.find(ID)?.step;
  };
  expect(await listed(progress('load', 0))).toBe(148);
  expect(await listed(progress('train', 143))).toBe(143);
});

test('a save that several asked for is answered to each, and told and counted once', async () => {
  const events: SupervisorEvent[] = [];
  const { database, index, reports, happenings } = await bench((event) => events.push(event));
  const saved = (request: string, state: 'durable' | 'verified', sequence: number): void =>
    reports.take({
      ...{ v: 1, type: 'saved', state, sequence, step: 60, epoch: 2, kinds: ['manual', 'emergency'], reason: 'SIGINT' },
      ...{ path: join('/checkpoints', String(sequence)), bytes: 1, digest: 'd', metrics: {}, parent: null },
      ...{ createdAt: '2026-11-23T00:00:00.000Z', stallMs: 0, writeMs: 1, request },
    });
  for (const sequence of [3, 4]) {
    for (const state of ['durable', 'verified'] as const) {
      for (const request of ['lunch', 'Ctrl-C']) saved(request, state, sequence);
    }
  }
  const once = ['saved', 'checkpoint-verified'];
  expect(events.map(({ name }) => name)).toEqual([...once, ...once]);
  const answered = happenings.flatMap((happening) => (happening.type === 'save-durable' ? [happening.request] : []));
  expect(answered).toEqual(['lunch', 'Ctrl-C', 'lunch', 'Ctrl-C']);
  index.flush();
  expect(database.read(({ saves }) => saves.ofSession(ID), []).map(({ sequence }) => sequence)).toEqual([3, 4]);
});
