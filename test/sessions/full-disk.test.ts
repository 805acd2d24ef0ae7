/** The index on full disks. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { waitFor } from '../rig/wait-for.ts';
import { openTestDatabase } from './open-test-database.ts';
import { attemptRow, checkpointRow, sessionRow } from './rows.ts';

/** A file system of its own; null where this user may not mount one. */
function smallDisk(megabytes: number): string | null {
  const directory = join(temporaryDirectory(), 'disk');
  mkdirSync(directory);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory]).status === 0;
  if (!mounted) return null;
  onTestFinished(() => {
    spawnSync('umount', ['-l', directory]);
  });
  return directory;
}

/** Fills what is left. @returns what gives it back. */
function fill(directory: string): () => void {
  const filler = join(directory, 'filler');
  const file = openSync(filler, 'w');
  for (const size of [65_536, 4096]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size, 1));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }
  }
  closeSync(file);
  return () => rmSync(filler);
}

test('on a full disk writes are kept in memory, reads go on, and all is caught up in order', async () => {
  const disk = smallDisk(2);
  if (disk === null) return expect(process.getuid?.()).not.toBe(0);
  const { database, news } = openTestDatabase(join(disk, 'sessions.db'));
  await database.write(({ sessions, checkpoints }) => {
    sessions.upsert(sessionRow('s'));
    checkpoints.upsert(checkpointRow('s', 1));
  });
  const giveBack = fill(disk);
  const outcomes = new Set<string>();
  for (let number = 1; number <= 300; number += 1) {
    const row = attemptRow('s', number, { reason: 'r'.repeat(200) });
    outcomes.add(await database.write(({ attempts }) => attempts.upsert(row)));
  }
  expect(outcomes.has('queued')).toBe(true);
  expect(database.degraded).not.toBeNull();
  expect(database.sessions.find('s')?.checkpoints).toBe(1);
  giveBack();
  await waitFor('the disk is caught up with', () => database.degraded === null);
  expect(database.attempts.ofSession('s').map(({ number }) => number)).toEqual(
    Array.from({ length: 300 }, (_, i) => i + 1),
  );
  expect(news.map(({ kind }) => kind)).toEqual(['degraded', 'recovered']);
  expect(database.close()).toEqual({ lost: 0 });
});

test('a disk that is full from the start: the index lives in memory and moves to the disk later', async () => {
  const disk = smallDisk(1);
  if (disk === null) return expect(process.getuid?.()).not.toBe(0);
  const giveBack = fill(disk);
  const path = join(disk, 'state', 'sessions.db');
  const { database } = openTestDatabase(path);
  expect(database.degraded).not.toBeNull();
  await expect(database.write(({ sessions }) => sessions.upsert(sessionRow('s')))).resolves.toBe('queued');
  expect(database.sessions.find('s')?.state).toBe('running');
  giveBack();
  await waitFor('the disk is caught up with', () => database.degraded === null);
  database.close();
  expect(
    openTestDatabase(path)
      .database.sessions.list()
      .map(({ id }) => id),
  ).toEqual(['s']);
});

test('a disk that stays full: closing tells how much was lost, and the file is whole', async () => {
  const disk = smallDisk(2);
  if (disk === null) return expect(process.getuid?.()).not.toBe(0);
  const path = join(disk, 'sessions.db');
  const { database } = openTestDatabase(path);
  await database.write(({ sessions }) => sessions.upsert(sessionRow('s')));
  fill(disk);
  const reason = 'r'.repeat(100_000);
  for (let i = 0; i < 30; i += 1)
    await database.write(({ attempts }) => attempts.upsert(attemptRow('s', i, { reason })));
  const { lost } = database.close();
  expect(lost).toBeGreaterThan(0);
  const again = openTestDatabase(path);
  expect(again.setAside).toBeNull();
  expect(readdirSync(disk).filter((name) => name.includes('damaged'))).toEqual([]);
});
