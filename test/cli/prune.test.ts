/** The command line of `prune`: what it refuses, what it asks, what it prints. */
import { existsSync, mkdirSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isReleased, readOwner } from '../../src/checkpoint/claim.ts';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import type { StoreLayout } from '../../src/checkpoint/layout.ts';
import { listSession } from '../../src/checkpoint/list.ts';
import { identityOf } from '../../src/checkpoint/process-identity.ts';
import { quarantineCheckpoint } from '../../src/checkpoint/quarantine.ts';
import { readSessionFile, writeSessionFile } from '../../src/checkpoint/session-file.ts';
import { markVerified } from '../../src/checkpoint/verified-marker.ts';
import { openSessions } from '../../src/sessions/open.ts';
import { carryOutPruning, planPruning } from '../../src/supervisor/prune.ts';
import { type SessionChanges, World } from './world.ts';

const A = '20261122_120000_aaaa';
const B = '20261122_130000_bbbb';
const STEPS = [1, 2, 3, 4, 5, 6, 7];

async function add(world: World, id: string, changes: SessionChanges = {}): Promise<StoreLayout> {
  const layout = await world.addSession(id, { steps: STEPS, ...changes });
  for (const { path } of await listSession(nodeFiles, layout)) await markVerified(nodeFiles, path, 2);
  return layout;
}

const checkpoints = ({ directory }: StoreLayout): number =>
  readdirSync(directory).filter((name) => name.startsWith('checkpoint_')).length;

test('without a terminal and without --yes it shows what would go and refuses', async () => {
  const world = new World();
  const layout = await add(world, A);
  const plan = await world.cli(['prune', 'latest']);
  expect(plan).toMatchObject({ code: 64, stdout: expect.stringContaining('Would delete 2 checkpoints') });
  expect(plan.stderr).toContain('add --yes');
  expect((await world.cli(['prune', 'latest', '--dry-run'])).code).toBe(0);
  expect(checkpoints(layout)).toBe(7);
  const before = await readOwner(nodeFiles, layout.directory);
  const done = await world.cli(['prune', 'latest', '--keep', '3', '--yes', '--json']);
  expect(JSON.parse(done.stdout)).toMatchObject({ version: 1, dryRun: false, removed: { length: 4 }, spared: [] });
  expect(checkpoints(layout)).toBe(3);
  // Under a claim of its own, which is given back: what wrote under the one before is fenced from now on.
  const after = await readOwner(nodeFiles, layout.directory);
  expect(after?.claim).toBe((before?.claim ?? 0) + 1);
  expect(await isReleased(nodeFiles, layout.directory, after?.claim ?? 0)).toBe(true);
  const shown = JSON.parse((await world.cli(['show', A, '--json'])).stdout);
  expect(shown.session.checkpoints).toBe(3);
  expect((await world.cli(['prune', 'latest', '--keep', '3'])).stdout).toContain('There is nothing to delete');
});

test('on a terminal it asks, and an empty answer deletes nothing', async () => {
  const world = new World();
  const layout = await add(world, A);
  const no = await world.terminal(['prune', 'latest'], { script: [{ wait: '[y/N]', send: '\n' }] });
  expect(no.output).toContain('Nothing was deleted');
  expect(checkpoints(layout)).toBe(7);
  const yes = await world.terminal(['prune', 'latest'], { script: [{ wait: '[y/N]', send: 'y\n' }] });
  expect(yes.output).toContain('Deleted 2 checkpoints');
  expect(checkpoints(layout)).toBe(5);
});

test('a session that is in use is refused by name and left out of --all', async () => {
  const world = new World();
  const live = await add(world, A, { held: true });
  const other = await add(world, B);
  expect((await world.cli(['prune', A, '--yes'])).code).toBe(73);
  const plan = JSON.parse((await world.cli(['prune', '--all', '--keep', '2', '--json', '--dry-run'])).stdout);
  expect(new Set(plan.removed.map(({ session }: { session: string }) => session))).toEqual(new Set([B]));
  const all = await world.cli(['prune', '--all', '--keep', '2', '--yes']);
  expect(all).toMatchObject({ code: 0, stderr: expect.stringContaining(`Session ${A}: left alone`) });
  expect([checkpoints(live), checkpoints(other)]).toEqual([7, 2]);
});

test('an emptied quarantine says what it held; one that is all there is stays: exit 65', async () => {
  const world = new World();
  const layout = await add(world, A, { steps: [1, 2] });
  for (const { path } of await listSession(nodeFiles, layout)) {
    truncateSync(join(path, 'tensors.safetensors'), 1);
    await quarantineCheckpoint(nodeFiles, layout, path, 'it was cut short');
  }
  const kept = await world.cli(['prune', A, '--quarantine', '--yes']);
  expect(kept).toMatchObject({ code: 65, stderr: expect.stringContaining('nothing else of this session verifies') });
  expect(readdirSync(join(layout.directory, '.quarantine')).length).toBeGreaterThan(1);
  const good = await add(world, B, { steps: [1, 2, 3] });
  const [newest] = await listSession(nodeFiles, good);
  await quarantineCheckpoint(nodeFiles, good, newest?.path ?? '', 'it was cut short');
  const emptied = await world.cli(['prune', B, '--quarantine', '--yes']);
  expect(emptied).toMatchObject({ code: 0, stdout: expect.stringContaining('it was cut short') });
  expect(checkpoints(good)).toBe(2);
});

test('a whole session goes only when it is said, and is gone from the list', async () => {
  const world = new World();
  const old = await add(world, A, { row: { state: 'completed' }, file: { updatedAt: '2026-01-01T00:00:00.000Z' } });
  mkdirSync(old.backups, { recursive: true });
  const open = await add(world, B, { file: { updatedAt: '2026-01-01T00:00:00.000Z' } });
  expect((await world.cli(['prune', '--all', '--delete-session', '--yes'])).code).toBe(64);
  const gone = await world.cli(['prune', '--all', '--delete-session', '--older-than', '1d', '--yes']);
  expect(gone).toMatchObject({ code: 0, stdout: expect.stringContaining('Deleted 1 whole session') });
  expect([existsSync(old.directory), existsSync(open.directory)]).toEqual([false, true]);
  expect(gone.stdout).toContain(`stay, and no command of ours finds them any more: ${old.backups}`);
  expect(existsSync(old.backups)).toBe(true);
  expect(JSON.parse((await world.cli(['list', '--json'])).stdout).sessions).toMatchObject([{ id: B }]);
});

test.each([[[]], [['latest', '--all']], [['latest', '--keep', '0']], [['--all', '--keep-bytes', 'much']]])(
  'prune %j is wrong usage',
  async (args) => {
    expect((await new World().cli(['prune', ...args])).code).toBe(64);
  },
);

test('a worker that began to train since the plan was made keeps its session, though nobody claims it', async () => {
  const world = new World();
  const layout = await add(world, A);
  const order = {
    targets: [{ layout, whole: false }],
    rules: { keep: 2, keepBytes: null, before: null },
    quarantine: false,
  };
  const plan = await planPruning(nodeFiles, order, () => undefined);
  expect(plan.removals.length).toBeGreaterThan(0);
  const file = await readSessionFile(nodeFiles, layout.directory);
  const group = identityOf(process.pid);
  if (file === null || group === null) throw new Error('the world of the test is broken');
  const worker = { attempt: 3, group, outputDirectory: world.directory, resumedFrom: null };
  await writeSessionFile(nodeFiles, layout.directory, { ...file, worker });
  const { database } = openSessions(world.home.database);
  try {
    const report = await carryOutPruning(nodeFiles, database, plan, () => undefined);
    expect(report).toMatchObject({ removed: [], spared: [{ session: A, why: 'held' }] });
  } finally {
    database.close();
  }
  expect(checkpoints(layout)).toBe(7);
});
