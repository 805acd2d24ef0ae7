/** Each danger is looked for, told once when it begins, and again only after it ended. In virtual time. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../../src/checkpoint/files.ts';
import { storeLayout } from '../../../src/checkpoint/layout.ts';
import { newSessionFile } from '../../../src/checkpoint/session-file.ts';
import { DEFAULT_SETTINGS } from '../../../src/config/settings.ts';
import type { CardDecision } from '../../../src/gpu/policy/card-decision.ts';
import type { EventNamed, SupervisorEvent } from '../../../src/supervisor/events.ts';
import { CRASH_LOOP } from '../../../src/supervisor/machine/restart-policy.ts';
import { SessionIndex } from '../../../src/supervisor/session-index.ts';
import { SessionRecord } from '../../../src/supervisor/session-record.ts';
import { WarningWatch } from '../../../src/supervisor/warnings/warning-watch.ts';
import { temporaryDirectory } from '../../rig/temporary-directory.ts';
import { openTestDatabase } from '../../sessions/open-test-database.ts';

const ID = '20261122_120000_aaaa';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const GB = 1e9;

/** A watch over a session that saves each minute, with a clock, a disk and a memory of its own. */
function watched(every = MINUTE) {
  const world = { nowMs: 0, freeBytes: 1_000 * GB, memoryShare: 0.5 };
  const told: string[] = [];
  const relieved: CardDecision[] = [];
  const root = temporaryDirectory();
  const layout = storeLayout(root, join(root, 'backups'), ID);
  const identity = { cwd: root, trainer: join(root, 'train.mjs'), args: [], name: null };
  const now = (): Date => new Date(world.nowMs);
  const file = newSessionFile({
    ...{ id: ID, identity, token: 'x', sourceDigest: null, backups: layout.backups, now: now() },
  });
  const nowMs = (): number => world.nowMs;
  const tell = (event: SupervisorEvent): void => {
    if (event.name === 'warning') told.push(`${event.code}: ${event.message} | ${event.hint}`);
    if (event.name === 'warning-ended') told.push(`${event.code} over`);
    watch.take(event);
  };
  const watch: WarningWatch = new WarningWatch(
    {
      files: { ...nodeFiles, freeBytes: () => Promise.resolve(world.freeBytes) },
      layout,
      record: new SessionRecord(nodeFiles, layout.directory, file, now, nowMs),
      index: new SessionIndex(openTestDatabase().database, ID, now),
      settings: { ...DEFAULT_SETTINGS, root, backups: layout.backups, save: { ...DEFAULT_SETTINGS.save, every } },
      ...{ outputDirectory: root, claim: 1, tell, isBehind: () => false, nowMs, now },
    },
    false,
    (decision) => relieved.push(decision),
    {
      memoryBounds: () => [{ name: 'host', limitBytes: 100 * GB, usedBytes: world.memoryShare * 100 * GB }],
      residentBytes: () => 7 * GB,
    },
  );
  let step = 0;
  return {
    world,
    relieved,
    /** Takes what happened, looks, and says what was told since. */
    async look(atMs: number, ...events: readonly SupervisorEvent[]): Promise<string[]> {
      world.nowMs = atMs;
      for (const event of events) tell(event);
      await watch.look();
      return told.splice(0);
    },
    step: (facts: Partial<EventNamed<'progress'>> = {}): SupervisorEvent => ({
      ...{ name: 'progress', phase: 'train', epoch: 0, epochs: null, totalSteps: null, percent: null, loss: null },
      ...{ metrics: {}, stepsPerSecond: 1, bestMetric: null, skippedSaves: 0, waiting: null, lastDurableAt: null },
      ...{ lastDurableAgeMs: null, attempt: 1, report: null, step: ++step },
      ...facts,
    }),
  };
}

const started: SupervisorEvent = {
  ...{ name: 'training-started', attempt: 1, sequence: null, step: 0, epoch: 0, backend: null, restoreMs: 1 },
};
const saved = (writeMs = 10, bytes = GB): SupervisorEvent => ({
  ...{ name: 'saved', sequence: 1, step: 1, epoch: 0, kinds: ['auto'], reason: null, bytes, digest: '', path: '' },
  ...{ stallMs: 0, writeMs },
});

test('the durable age: told once beyond three intervals, over with the next checkpoint, told again when it comes again', async () => {
  const { look, step } = watched();
  expect(await look(0, started, step())).toEqual([]);
  expect(await look(3 * MINUTE, step())).toEqual([]);
  expect(await look(3 * MINUTE + 1, step())).toEqual([expect.stringMatching(/^durable-age: .*3 min old.* \| .+/)]);
  expect(await look(4 * MINUTE, step())).toEqual([]);
  expect(await look(4 * MINUTE + 1, saved())).toEqual(['durable-age over']);
  expect(await look(7 * MINUTE, step())).toEqual([]);
  expect(await look(7 * MINUTE + 2, step())).toEqual([expect.stringContaining('durable-age: ')]);
});

test('a save longer than its interval: told once, quiet while it is near the limit, over well below', async () => {
  const { look, step } = watched();
  expect(await look(1, started, step(), saved(MINUTE))).toEqual([]);
  expect(await look(2, saved(MINUTE + 1))).toEqual([
    expect.stringMatching(/^slow-save: .*its interval of 1 min .*--save-every/),
  ]);
  expect(await look(3, saved(MINUTE + 9), saved(0.9 * MINUTE))).toEqual([]);
  expect(await look(4, saved(0.8 * MINUTE))).toEqual(['slow-save over']);
  expect(await look(5, saved(0.9 * MINUTE))).toEqual([]);
});

test('a save longer than five minutes, whatever the interval', async () => {
  const { look, step } = watched(HOUR);
  expect(await look(1, started, step(), saved(5 * MINUTE))).toEqual([]);
  expect(await look(2, saved(5 * MINUTE + 1))).toEqual([expect.stringMatching(/^slow-save: .*longer than 5 min /)]);
});

test('skipped saves: told at the first, over after ten quiet intervals', async () => {
  const { look, step } = watched();
  expect(await look(0, started, step(), saved())).toEqual([]);
  expect(await look(1, step({ skippedSaves: 1 }))).toEqual([expect.stringMatching(/^skipped-saves: 1 /)]);
  expect(await look(2 * MINUTE, step({ skippedSaves: 2 }), saved())).toEqual([]);
  expect(await look(12 * MINUTE - 1, step({ skippedSaves: 2 }), saved())).toEqual([]);
  expect(await look(12 * MINUTE, step({ skippedSaves: 2 }), saved())).toEqual(['skipped-saves over']);
});

test('memory: told at 90 %, quiet down to 85 %, over below; with the worker’s own part', async () => {
  const { world, look } = watched();
  const connected: SupervisorEvent = { name: 'worker-connected', attempt: 1, pid: 7, adopted: false };
  world.memoryShare = 0.899;
  expect(await look(0, connected)).toEqual([]);
  world.memoryShare = 0.9;
  expect(await look(1)).toEqual([
    expect.stringMatching(/^host-memory: 90 %.*worker itself holds 7.0 GB.* \| .+batches/),
  ]);
  world.memoryShare = 0.86;
  expect(await look(2)).toEqual([]);
  world.memoryShare = 0.91;
  expect(await look(3)).toEqual([]);
  world.memoryShare = 0.84;
  expect(await look(4)).toEqual(['host-memory over']);
});

test('the memory of the host at 95 %: a save, and the trainer is to free some; again after five minutes', async () => {
  const { world, look, relieved } = watched();
  world.memoryShare = 0.94;
  await look(1);
  expect(relieved).toEqual([]);
  world.memoryShare = 0.96;
  await look(2);
  await look(5 * MINUTE);
  const reason = expect.stringMatching(/^This machine: \d+ of \d+ MiB \(96 %\) of its memory in use$/);
  const both = [
    { type: 'save', isEmergency: false, reason },
    { type: 'release', reason },
  ];
  expect(relieved).toEqual(both);
  await look(5 * MINUTE + 2);
  expect(relieved).toEqual([...both, ...both]);
});

test('a disk that somebody fills: told before the end of the run, from the measured rate, and over when it is emptied', async () => {
  const { world, look, step } = watched();
  const far = { totalSteps: 36_000, stepsPerSecond: 1 };
  const told: string[] = [];
  world.freeBytes = 50 * GB;
  told.push(...(await look(0, started, step(far), saved())));
  for (let minute = 1; minute <= 20; minute += 1) {
    world.freeBytes -= GB / 4;
    told.push(...(await look(minute * MINUTE, step(far), saved())));
  }
  expect(told).toEqual([
    expect.stringMatching(/^disk-filling: .*full in about \d h.*before the end of the run .*--keep/),
  ]);
  world.freeBytes = 1_000 * GB;
  expect(await look(21 * MINUTE, step(far), saved())).toEqual(['disk-filling over']);
});

test('a disk with too little room for what is kept is told at the first save', async () => {
  const { world, look, step } = watched();
  world.freeBytes = 4 * GB;
  expect(await look(0, started, step())).toEqual([]);
  expect(await look(1, saved())).toEqual([expect.stringMatching(/^disk-filling: .*4.0 GB are free/)]);
});

test('a trainer that comes further only by its crashes', async () => {
  const { look } = watched();
  const planned = (crashSaves: number): SupervisorEvent => ({
    ...{ name: 'restart-planned', delayMs: 0, reason: 'x', withoutProgress: 0, crashSaves },
  });
  const rows: string[] = [];
  for (let row = 1; row <= 2 * CRASH_LOOP; row += 1) rows.push(...(await look(row, planned(row))));
  expect(rows).toEqual([expect.stringMatching(/^crash-loop: .*--level error/)]);
  expect(await look(99, planned(0))).toEqual(['crash-loop over']);
});

test('a trainer that has not connected for a minute', async () => {
  const { look } = watched();
  expect(await look(0, { name: 'attempt-started', attempt: 1, pid: 7 })).toEqual([]);
  expect(await look(MINUTE - 1)).toEqual([]);
  expect(await look(MINUTE)).toEqual([expect.stringMatching(/^not-connected: .*connect\(\)/)]);
  const connected: SupervisorEvent = { name: 'worker-connected', attempt: 1, pid: 7, adopted: false };
  expect(await look(MINUTE + 1, connected)).toEqual(['not-connected over']);
});
