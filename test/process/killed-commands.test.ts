/** `prune` and `repair` are killed in the midst of their work: nothing verified is lost, and the same command again completes it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { listSession } from '../../src/checkpoint/list.ts';
import { markVerified } from '../../src/checkpoint/verified-marker.ts';
import { World } from '../cli/world.ts';

const A = '20261122_120000_aaaa';
const B = '20261122_130000_bbbb';
const canTrace = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']).status === 0;

/** Runs the command and kills it at its n-th call that touches a path. @returns whether it came to that */
async function killedAt(world: World, words: string, call: string, nth: number, path: string): Promise<boolean> {
  const inject = `inject=${call}:signal=SIGKILL:when=${nth}`;
  // strace counts for each thread, so that only one does the work of the disk.
  const { code } = await world.shell(`strace -f -qq -o /dev/null -P '${path}' -e ${inject} $NKAT ${words}`, {
    UV_THREADPOOL_SIZE: '1',
  });
  return code !== 0;
}

async function checkpointsOf(world: World, session: string): Promise<number> {
  const { code, stdout } = await world.cli(['verify', session, '--json']);
  expect(code).toBe(0);
  const { damaged, checked } = JSON.parse(stdout);
  expect(damaged).toEqual([]);
  return checked;
}

/** Names of whole checkpoints. */
const names = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.startsWith('checkpoint_'))
    .sort();

test
  .runIf(canTrace)
  .each([
    ['before the first goes to the trash', 'rename', 'oldest'] as const,
    ['between two that go', 'rename', 'second'] as const,
    ['while the trash is emptied', 'rmdir', 'trash'] as const,
  ])('prune, killed %s', async (_, call, where) => {
  const world = new World();
  const { directory } = await world.addSession(A, { steps: [1, 2, 3, 4, 5, 6] });
  const entries = await listSession(nodeFiles, { session: A, directory, backups: world.home.backups });
  for (const { path } of entries) await markVerified(nodeFiles, path, 2);
  const before = names(directory);
  const [oldest = '', second = ''] = before;
  const path = join(directory, { oldest, second, trash: join('.trash', oldest) }[where]);
  const words = `prune ${A} --keep 3 --yes`;
  expect(await killedAt(world, words, call, 1, path)).toBe(true);
  const kept = before.slice(-3);
  expect(names(directory)).toEqual(expect.arrayContaining(kept));
  expect(await checkpointsOf(world, A)).toBe(names(directory).length);
  expect((await world.cli(['prune', A, '--keep', '3', '--yes'])).code).toBe(0);
  expect(names(directory)).toEqual(kept);
  expect(existsSync(join(directory, '.trash')) ? readdirSync(join(directory, '.trash')) : []).toEqual([]);
  expect(JSON.parse((await world.cli(['show', A, '--json'])).stdout).session.checkpoints).toBe(3);
});

test.runIf(canTrace).each([
  ['as the damaged database is set aside', 'rename', 'sessions.db'],
  ['as a record is written anew', 'rename', 'session.json'],
  ['as the index is filled', 'pwrite64', 'sessions.db-wal'],
])('repair, killed %s', async (_, call, name) => {
  const world = new World();
  const { directory } = await world.addSession(A, { steps: [1, 2, 3] });
  await world.addSession(B, { steps: [4], row: { state: 'completed' } });
  const before = names(directory);
  const { database } = world.home;
  if (name === 'session.json') truncateSync(join(directory, name), 30);
  else {
    for (const suffix of ['-wal', '-shm']) rmSync(`${database}${suffix}`, { force: true });
    writeFileSync(database, 'this is no database\n'.repeat(1_000));
  }
  const path = name === 'session.json' ? join(directory, name) : join(world.home.directory, name);
  expect(await killedAt(world, 'repair', call, 1, path)).toBe(true);
  expect(names(directory)).toEqual(before);
  expect((await world.cli(['repair'])).code).toBe(0);
  expect(JSON.parse((await world.cli(['repair', '--json'])).stdout).findings).toEqual([]);
  expect(await checkpointsOf(world, A)).toBe(3);
  expect(await checkpointsOf(world, B)).toBe(1);
  const { sessions } = JSON.parse((await world.cli(['list', '--json'])).stdout);
  expect(sessions.map(({ id, checkpoints }: { id: string; checkpoints: number }) => [id, checkpoints])).toEqual([
    [B, 1],
    [A, 3],
  ]);
});
