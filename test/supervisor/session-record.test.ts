import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { newSessionFile, readSessionFile } from '../../src/checkpoint/session-file.ts';
import { SessionRecord } from '../../src/supervisor/session-record.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const IDENTITY = { cwd: '/', trainer: '/t.ts', args: [], name: null };

function recordIn(directory: string): SessionRecord {
  const now = new Date('2026-11-22T12:00:00Z');
  const file = newSessionFile({
    id: 's',
    identity: IDENTITY,
    token: 't',
    sourceDigest: null,
    backups: '/b',
    now,
  });
  return new SessionRecord(nodeFiles, directory, file, () => now);
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
