import { beforeEach, describe, expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { newSessionFile, readSessionFile } from '../../src/checkpoint/session-file.ts';
import { SessionRecord } from '../../src/supervisor/session-record.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const IDENTITY = { cwd: '/', trainer: '/t.ts', args: [], name: null };

function recordIn(directory: string, clock = { now: new Date('2026-11-22T12:00:00Z'), ms: 0 }): SessionRecord {
  const file = newSessionFile({
    id: 's',
    identity: IDENTITY,
    token: 't',
    sourceDigest: null,
    backups: '/b',
    now: clock.now,
  });
  return new SessionRecord(
    nodeFiles,
    directory,
    file,
    () => clock.now,
    () => clock.ms,
  );
}

test('steps alone are not worth a sync; they travel with the next change', async () => {
  const directory = temporaryDirectory();
  const record = recordIn(directory);
  record.reach(70);
  await record.persist();
  expect(await readSessionFile(nodeFiles, directory)).toBeNull();
  record.noteCommit(3, 60);
  await record.persist();
  expect(await readSessionFile(nodeFiles, directory)).toMatchObject({
    lastStep: 70,
    lastCommit: { sequence: 3, step: 60 },
  });
});

test('what is trained again is measured from where it started again; the highest step stays', () => {
  const record = recordIn(temporaryDirectory());
  record.reach(70);
  record.reach(40);
  record.reach(45);
  expect(record.reached.step).toBe(45);
  expect(record.file.lastStep).toBe(70);
});

test('the newest commit never falls back', () => {
  const record = recordIn(temporaryDirectory());
  record.noteCommit(9, 90);
  record.noteCommit(8, 95);
  expect(record.file.lastCommit).toEqual({ sequence: 9, step: 90 });
});

test('what was lost is measured by a clock that nobody sets, where we saw both ends', () => {
  const clock = { now: new Date('2026-11-22T12:00:00Z'), ms: 1_000 };
  const record = recordIn(temporaryDirectory(), clock);
  const createdAt = clock.now.toISOString();
  record.noteCommit(5, 50);
  clock.ms += 7_000;
  for (const year of [2025, 2027]) {
    clock.now = new Date(`${year}-11-22T12:00:07Z`);
    record.reach(57);
    expect(record.lostMsSince({ sequence: 5, createdAt })).toBe(7_000);
  }
  // Of an earlier supervisor's time only the wall clock tells; never less than nothing.
  record.reachedBefore(58, new Date('2026-11-22T12:00:09Z'));
  expect(record.lostMsSince({ sequence: 5, createdAt })).toBe(9_000);
  record.reachedBefore(59, new Date('2025-11-22T12:00:09Z'));
  expect(record.lostMsSince({ sequence: 5, createdAt })).toBe(0);
});

test('a checkpoint is as old as its step, not as its last sync: training went on while it was written', () => {
  const clock = { now: new Date('2026-11-22T12:00:00Z'), ms: 10_000 };
  const record = recordIn(temporaryDirectory(), clock);
  record.reach(65);
  // Its step was made 4 s before the last one that was told.
  clock.ms += 1_000;
  record.noteCommit(5, 50, 5_000);
  expect(record.lostMsSince({ sequence: 5, createdAt: clock.now.toISOString() })).toBe(4_000);
});

describe('work that is lost after going back', () => {
  const clock = { now: new Date(), ms: 0 };
  let record: SessionRecord;
  const pass = (ms: number): void => {
    clock.ms += ms;
    clock.now = new Date(clock.now.getTime() + ms);
  };
  const point = (sequence: number, step: number) => ({ sequence, step, createdAt: clock.now.toISOString() });
  beforeEach(() => {
    clock.now = new Date('2026-11-22T12:00:00Z');
    clock.ms = 50_000;
    record = recordIn(temporaryDirectory(), clock);
  });

  test('is what was trained since the launch, not what was told before nor the standstill', () => {
    const saved = point(5, 50);
    record.noteCommit(5, 50);
    pass(7_000);
    record.reach(57);
    expect(record.lostMsSince(saved)).toBe(7_000);
    record.goBackTo(saved);
    pass(60_000);
    record.start(50);
    pass(3_000);
    record.reach(53);
    expect(record.lostMsSince(saved)).toBe(3_000);
  });

  test('is the work between two checkpoints where the one that was chosen cannot be loaded', () => {
    const older = point(4, 40);
    record.noteCommit(4, 40);
    pass(10_000);
    const newer = point(5, 50);
    record.noteCommit(5, 50);
    pass(1_000);
    record.reach(51);
    record.goBackTo(newer);
    pass(30_000);
    expect(record.lostMsSince(older)).toBe(10_000);
  });

  test('is no night between a checkpoint of yesterday and the crash of today', () => {
    const older = point(4, 40);
    pass(5_000);
    const saved = point(5, 50);
    pass(50_000_000);
    record.goBackTo(saved);
    pass(1_000);
    record.start(50);
    pass(2_000);
    record.reach(52);
    expect(record.lostMsSince(saved)).toBe(2_000);
    expect(record.lostMsSince(older)).toBe(7_000);
  });
});
