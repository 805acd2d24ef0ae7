/** `--backups` that cannot be a folder, or whose disk is away, is refused before there is a session. */
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from './world.ts';

const A = '20261122_120000_aaaa';

function worldWithTrainer(): World {
  const world = new World();
  writeFileSync(join(world.directory, 'train.mjs'), '');
  return world;
}

function sessionsOf(world: World): string[] {
  return existsSync(world.home.checkpoints) ? readdirSync(world.home.checkpoints) : [];
}

test('what is no folder is refused with its path: 74, and no session is left', async () => {
  const world = worldWithTrainer();
  const { code, stdout, stderr } = await world.cli(['run', '--backups', '/dev/null', 'train.mjs']);
  expect([code, stdout, stderr]).toEqual([74, '', expect.stringContaining('no folder') as string]);
  expect(stderr).toContain('/dev/null');
  expect(stderr).toContain('--backups');
  expect(sessionsOf(world)).toEqual([]);
});

test('a second session finds the disk of the copies away: 74, and nothing is made below it', async () => {
  const world = worldWithTrainer();
  const root = join(world.directory, 'disk');
  const line = ['run', '--backups', root, 'train.mjs'];
  expect((await world.cli(line)).code).toBe(0);
  renameSync(root, `${root}-away`);
  mkdirSync(root);
  const { code, stderr } = await world.cli(line);
  expect([code, stderr]).toEqual([74, expect.stringContaining('is its disk mounted?') as string]);
  expect(sessionsOf(world)).toHaveLength(1);
  expect(readdirSync(root)).toEqual([]);
});

test('a session that is continued keeps its places, and that is said', async () => {
  const world = worldWithTrainer();
  const layout = await world.addSession(A, { steps: [10] });
  const elsewhere = join(world.directory, 'elsewhere');
  const { stderr } = await world.cli(['resume', A, '--backups', elsewhere, '--dir', elsewhere]);
  expect(stderr).toContain(`The copies of its best model stay in ${layout.backups}; ${elsewhere} is for new sessions.`);
  expect(stderr).toContain(`The session stays in ${layout.directory}; ${elsewhere} is for new ones.`);
  expect(existsSync(elsewhere)).toBe(false);
});
