/** The place of the copies is made once: on the bare mount point of a disk that is away, nothing is. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { openBackupPlace } from '../../src/checkpoint/backup-place.ts';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { type Settled, settleCommit } from '../../src/checkpoint/settle.ts';
import { systemError, watchedFiles } from './faulty-files.ts';
import { claimed, save, temporaryLayout } from './store.ts';

test('copies whose disk is away are not made below it, and are caught up when it is back', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const settled = async (step: number, kinds: string[]): Promise<Settled> => {
    const committed = await save({ layout, claim, step, facts: { kinds } });
    return settleCommit(nodeFiles, { layout, committed, retention: { keep: 5, maxBytes: null }, resumedFrom: null });
  };
  expect(await settled(1, ['best'])).toMatchObject({ backupStands: true });
  const root = dirname(layout.backups);
  renameSync(root, `${root}-away`);
  // The mount point itself is there, or is not.
  for (const [step, bare] of [true, false].entries()) {
    if (bare) mkdirSync(root);
    const { backup, backupProblem } = await settled(2 + step, ['best']);
    expect(backup).toBeNull();
    expect(backupProblem).toContain('is its disk mounted?');
    expect(existsSync(root) ? readdirSync(root) : []).toEqual([]);
    if (bare) rmSync(root, { recursive: true });
  }
  renameSync(`${root}-away`, root);
  const back = await settled(4, ['auto']);
  expect(basename(back.backup ?? '')).toBe('best_3_3');
  expect(await settled(5, ['auto'])).toMatchObject({ backup: null, backupProblem: null, backupStands: true });
});

test('a place that never was is made, another one too, and one that was removed on purpose is taken when it is made by hand', async () => {
  const layout = temporaryLayout();
  mkdirSync(layout.directory, { recursive: true });
  await openBackupPlace(nodeFiles, layout);
  rmSync(layout.backups, { recursive: true });
  await expect(openBackupPlace(nodeFiles, layout)).rejects.toMatchObject({ code: 'store-missing' });
  expect(existsSync(layout.backups)).toBe(false);
  mkdirSync(layout.backups, { recursive: true });
  await openBackupPlace(nodeFiles, layout);
  const other = { ...layout, backups: `${layout.backups}-elsewhere` };
  await openBackupPlace(nodeFiles, other);
  expect(readdirSync(other.backups)).toEqual([]);
});

test('a full disk of the session keeps no copy from being made; the place is marked when there is room', async () => {
  const layout = temporaryLayout();
  mkdirSync(layout.directory, { recursive: true });
  const full = watchedFiles(nodeFiles, ({ name, path }) => {
    if (name === 'write' && path.startsWith(layout.directory)) throw systemError('ENOSPC');
  });
  await openBackupPlace(full, layout);
  expect(readdirSync(layout.directory)).toEqual([]);
  await openBackupPlace(nodeFiles, layout);
  expect(readdirSync(layout.directory)).toEqual(['.backups']);
  expect(existsSync(join(layout.backups))).toBe(true);
});
