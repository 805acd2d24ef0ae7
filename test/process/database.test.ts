/** The index is lost or damaged in mid-run and between runs: nothing else is, and nobody else gets in. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { testInWorld, type World } from './rig.ts';

const SAVES = ['--save-every-steps', '10'];

function remove(database: string, suffixes: readonly string[]): void {
  for (const suffix of suffixes) rmSync(`${database}${suffix}`, { force: true, recursive: true });
}

const HURTS: Readonly<Record<string, (database: string) => void>> = {
  'deleted with its log': (database) => remove(database, ['', '-wal', '-shm']),
  'deleted without its log': (database) => remove(database, ['']),
  'robbed of its log': (database) => remove(database, ['-wal']),
  truncated: (database) => truncateSync(database, 5_000),
  'overwritten with text': (database) => {
    remove(database, ['', '-wal', '-shm']);
    writeFileSync(database, 'no database\n'.repeat(2_000));
  },
  'full of flipped bytes': (database) => {
    remove(database, ['-wal', '-shm']);
    const fd = openSync(database, 'r+');
    for (let at = 0; at < 12_000; at += 7) writeSync(fd, Buffer.from([0xa5]), 0, 1, at);
    closeSync(fd);
  },
};

interface Listed {
  readonly sessions: readonly { readonly id: string; readonly state: string; readonly checkpoints: number }[];
}

function checkpointsIn(directory: string): number {
  return readdirSync(directory).filter((name) => name.startsWith('checkpoint_')).length;
}

async function listed(world: World): Promise<Listed['sessions']> {
  return ((await world.query(['list'])) as Listed).sessions;
}

/** A session that was stopped after two saves. */
async function interrupted(world: World): Promise<{ readonly directory: string; readonly session: string }> {
  const run = world.run(world.endless(), SAVES);
  const opened = await run.event('session-opened');
  await run.event('saved', () => true, 2);
  run.signal('SIGINT');
  await run.ended(75);
  return opened;
}

testInWorld.concurrent('in mid-run the database is hurt in every way, one after the other', async ({ world }) => {
  const database = join(world.home, 'sessions.db');
  const run = world.run(world.endless(), SAVES);
  const { directory, session } = await run.event('session-opened');
  for (const [how, hurt] of Object.entries(HURTS)) {
    const saves = run.named('saved').length;
    await run.event('saved', () => true, saves + 1);
    hurt(database);
    await run.event('saved', () => true, saves + 2);
    const sessions = await listed(world);
    expect(sessions, how).toMatchObject([{ id: session, state: 'running' }]);
    expect(sessions[0]?.checkpoints, how).toBeGreaterThan(0);
  }
  remove(database, ['', '-wal', '-shm']);
  // The claim stands in the directory: nobody else gets in, with or without an index.
  await world.run(world.endless(), [...SAVES, '--resume']).ended(73);
  run.signal('SIGINT');
  await run.ended(75);
  expect(await listed(world)).toMatchObject([
    { id: session, state: 'interrupted', checkpoints: checkpointsIn(directory) },
  ]);
  // What was damaged is kept for who wants to look; what was deleted is nowhere.
  const aside = readdirSync(world.home).filter((name) => /^sessions\.db\.damaged-[^.]*$/.test(name));
  expect(aside.length).toBeGreaterThanOrEqual(1);
});

testInWorld.concurrent(
  'between two runs the database is hurt in every way, and the root goes away',
  async ({ world }) => {
    const database = join(world.home, 'sessions.db');
    const { directory, session } = await interrupted(world);
    for (const [how, hurt] of Object.entries(HURTS)) {
      hurt(database);
      const told = { id: session, state: 'interrupted', checkpoints: checkpointsIn(directory) };
      expect(await listed(world), how).toMatchObject([told]);
    }
    const root = join(world.home, 'checkpoints');
    renameSync(root, join(world.directory, 'unmounted'));
    // An empty mount point is what an unmounted disk leaves.
    mkdirSync(root);
    const gone = world.run(world.endless(), SAVES);
    await gone.ended(74);
    expect(gone.named('attempt-started')).toEqual([]);
    expect(readdirSync(root)).toEqual([]);
    rmSync(root, { recursive: true });
    renameSync(join(world.directory, 'unmounted'), root);

    HURTS.truncated?.(database);
    world.enough();
    const again = await world.run(world.endless(), SAVES).ended(0);
    expect((await again.event('checkpoint-chosen')).step).toBeGreaterThan(0);
    expect((await again.event('session-opened')).session).toBe(session);

    remove(database, ['', '-wal', '-shm']);
    mkdirSync(database);
    const list = await world.start(['list']).ended(74);
    expect(list.stderr).toContain('nkat-recover repair');
    await world.start(['repair']).ended(0);
    expect(await listed(world)).toMatchObject([{ state: 'completed' }]);
  },
);

testInWorld.concurrent('repair and prune leave a live session alone, and take nothing from it', async ({ world }) => {
  const run = world.run(world.endless(), SAVES);
  const { directory } = await run.event('session-opened');
  await run.event('saved', () => true, 6);
  const prune = world.start(['prune', 'latest', '--keep', '1', '--yes']);
  const repair = world.start(['repair', '--json']);
  await prune.ended(73);
  await repair.ended(0);
  expect(JSON.parse(repair.stdout).findings).toEqual([]);
  run.signal('SIGINT');
  await run.ended(75);
  expect(checkpointsIn(directory)).toBeGreaterThanOrEqual(5);
  expect(existsSync(join(directory, 'latest'))).toBe(true);
  await world.start(['verify', 'latest']).ended(0);
});
