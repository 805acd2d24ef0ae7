import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { acquireClaim } from '../../src/checkpoint/claim.ts';
import { beginCommit } from '../../src/checkpoint/commit.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { type StoreLayout, storeLayout } from '../../src/checkpoint/layout.ts';
import { quarantineCheckpoint } from '../../src/checkpoint/quarantine.ts';
import { newSessionFile, writeSessionFile } from '../../src/checkpoint/session-file.ts';
import type { Committed, SessionFile } from '../../src/checkpoint/types.ts';
import { markVerified } from '../../src/checkpoint/verified-marker.ts';
import type { SessionsDatabase } from '../../src/sessions/database.ts';
import { reindexRoots, reindexSession } from '../../src/supervisor/reindex.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { openTestDatabase } from '../sessions/open-test-database.ts';

interface Made {
  readonly layout: StoreLayout;
  readonly file: SessionFile;
  readonly committed: readonly Committed[];
}

/** A session on disk as a run leaves it: steps 10, 20, 30 committed, all but the last verified. */
async function makeSession(base: string, id: string, changes: Partial<SessionFile> = {}): Promise<Made> {
  const layout = storeLayout(join(base, 'root'), join(base, 'backups'), id);
  const identity = { cwd: '/training', trainer: '/training/train.ts', args: ['--epochs', '3'], name: `name of ${id}` };
  const started = newSessionFile({
    id,
    identity,
    token: 't',
    sourceDigest: null,
    backups: layout.backups,
    now: new Date('2026-11-22T12:00:00Z'),
  });
  const outcome = await acquireClaim(nodeFiles, layout.directory, { role: 'supervisor', takeOver: false });
  if (outcome.status !== 'claimed') throw new Error('not claimed');
  const committed: Committed[] = [];
  for (const [index, step] of [10, 20, 30].entries()) {
    const tensors = [{ name: 'w', dtype: 'F32', shape: [2] }] as const;
    const commit = await beginCommit(nodeFiles, { layout, claim: outcome.claim, tensors });
    await commit.append(new Uint8Array(new Float32Array([step, index]).buffer));
    const trainer = { path: identity.trainer, args: identity.args, sourceDigest: null };
    const facts = {
      step,
      epoch: index,
      kinds: ['auto'],
      reason: null,
      parent: committed.at(-1)?.manifest.sequence ?? null,
    };
    const more = { attempt: index === 2 ? 2 : 1, metrics: { loss: 1 / step }, backend: 'cpu', versions: {}, trainer };
    committed.push(await commit.finish({ state: '{}', facts: { ...facts, ...more } }));
  }
  for (const { path } of committed.slice(0, 2)) await markVerified(nodeFiles, path, 2);
  const group = { pid: 4242, startTime: '77', bootId: 'boot' };
  const file: SessionFile = {
    ...started,
    state: 'completed',
    updatedAt: '2026-11-22T13:00:00.000Z',
    attempts: 2,
    lastStep: 33,
    lastCommit: { sequence: 3, step: 30 },
    worker: { attempt: 2, group, outputDirectory: '/out', resumedFrom: null },
    ...changes,
  };
  await writeSessionFile(nodeFiles, layout.directory, file);
  return { layout, file, committed };
}

/** All that the index says, comparable. */
function contents(database: SessionsDatabase) {
  return database.sessions.list().map((session) => ({
    session,
    attempts: database.attempts.ofSession(session.id),
    checkpoints: database.checkpoints.ofSession(session.id),
  }));
}

/** The real disk, with its reads counted. */
function countingFiles(): { files: StoreFiles; count: () => number } {
  let count = 0;
  const files: StoreFiles = {
    ...nodeFiles,
    open(...args) {
      count += 1;
      return nodeFiles.open(...args);
    },
    list(path) {
      count += 1;
      return nodeFiles.list(path);
    },
  };
  return { files, count: () => count };
}

test('a lost database is rebuilt from the directories, the same each time', async () => {
  const base = temporaryDirectory();
  const root = join(base, 'root');
  await makeSession(base, '20261122_120000_aaaa');
  await makeSession(base, '20261122_130000_bbbb', { state: 'crashed', createdAt: '2026-11-22T13:00:00.000Z' });
  const first = openTestDatabase();
  const report = await reindexRoots(first.database, nodeFiles, [root, root, join(base, 'unmounted')]);
  expect([...report.indexed].sort()).toEqual(['20261122_120000_aaaa', '20261122_130000_bbbb']);
  expect(report.problems).toEqual([]);
  const before = contents(first.database);
  expect(before.map(({ session }) => session.id)).toEqual(['20261122_130000_bbbb', '20261122_120000_aaaa']);
  expect(before[1]?.session).toMatchObject({
    name: 'name of 20261122_120000_aaaa',
    state: 'completed',
    trainer: '/training/train.ts',
    args: ['--epochs', '3'],
    root,
    attempts: 2,
    step: 33,
    epoch: 2,
    checkpoints: 3,
    lastCheckpointStep: 30,
  });
  expect(before[1]?.checkpoints.map(({ sequence, state, step }) => [sequence, state, step])).toEqual([
    [3, 'durable', 30],
    [2, 'verified', 20],
    [1, 'verified', 10],
  ]);
  expect(
    before[1]?.attempts.map(({ number, lastStep, groupPid, bootId }) => [number, lastStep, groupPid, bootId]),
  ).toEqual([
    [1, 20, null, null],
    [2, 30, 4242, 'boot'],
  ]);
  await reindexRoots(first.database, nodeFiles, [root], { everything: true });
  expect(contents(first.database)).toEqual(before);
  const second = openTestDatabase();
  await reindexRoots(second.database, nodeFiles, [root]);
  expect(contents(second.database)).toEqual(before);
});

test('where nothing changed, nothing is opened', async () => {
  const base = temporaryDirectory();
  const root = join(base, 'root');
  await makeSession(base, 'a');
  const { layout } = await makeSession(base, 'b', { state: 'crashed' });
  const { database } = openTestDatabase();
  await reindexRoots(database, nodeFiles, [root]);
  const { files, count } = countingFiles();
  // A completed session is over; its directory is not looked at again unasked.
  mkdirSync(join(root, 'a', 'notes'));
  expect(await reindexRoots(database, files, [root])).toEqual({ indexed: [], absent: [], problems: [] });
  expect(count()).toBe(0);
  // A checkpoint that was rotated away while nobody told the index.
  rmSync(join(layout.directory, 'checkpoint_b_10_1'), { recursive: true });
  expect((await reindexRoots(database, files, [root])).indexed).toEqual(['b']);
  expect(database.checkpoints.find('b', 1)?.state).toBe('removed');
  expect(database.sessions.find('b')?.checkpoints).toBe(2);
});

test('what the index knows better stays, what the directory knows better comes', async () => {
  const base = temporaryDirectory();
  const { layout, file } = await makeSession(base, 's', { state: 'running' });
  const root = join(base, 'root');
  const { database } = openTestDatabase();
  await reindexSession(database, nodeFiles, root, 's');
  await database.write(({ sessions }) => {
    sessions.patch(
      's',
      { state: 'gave-up', attempts: 9, supervisorPid: 99, bestMetric: { name: 'accuracy', value: 1 } },
      '2026-11-22T14:00:00.000Z',
    );
    sessions.recordProgress('s', { epoch: 2, step: 39, totalSteps: 90, loss: 0.5 }, '2026-11-22T14:00:00.000Z');
  });
  await writeSessionFile(nodeFiles, layout.directory, { ...file, lastStep: 35, updatedAt: '2026-11-22T13:30:00.000Z' });
  await reindexSession(database, nodeFiles, root, 's');
  expect(database.sessions.find('s')).toMatchObject({ state: 'gave-up', attempts: 9, step: 39, supervisorPid: 99 });
  await writeSessionFile(nodeFiles, layout.directory, {
    ...file,
    state: 'interrupted',
    lastStep: 45,
    attempts: 3,
    updatedAt: '2026-11-22T15:00:00.000Z',
  });
  await reindexSession(database, nodeFiles, root, 's');
  expect(database.sessions.find('s')).toMatchObject({
    state: 'interrupted',
    step: 45,
    attempts: 3,
    totalSteps: 90,
    bestMetric: { name: 'accuracy', value: 1 },
  });
});

test('checkpoints in quarantine, set aside, and gone without a word are told apart', async () => {
  const base = temporaryDirectory();
  const { layout, file, committed } = await makeSession(base, 's', { state: 'crashed' });
  const root = join(base, 'root');
  const { database } = openTestDatabase();
  await reindexSession(database, nodeFiles, root, 's');
  const quarantinedTo = await quarantineCheckpoint(nodeFiles, layout, committed[1]?.path ?? '', 'a flipped byte');
  rmSync(committed[2]?.path ?? '', { recursive: true });
  const aside = [{ sequence: 1, step: 10, reason: 'crashed twice', at: 'now' }];
  await writeSessionFile(nodeFiles, layout.directory, { ...file, setAside: aside });
  await reindexSession(database, nodeFiles, root, 's');
  const states = () =>
    database.checkpoints.ofSession('s').map(({ sequence, state, path }) => [sequence, state, basename(path)]);
  expect(states()).toEqual([
    [3, 'missing', 'checkpoint_s_30_3'],
    [2, 'quarantined', basename(quarantinedTo)],
    [1, 'set-aside', 'checkpoint_s_10_1'],
  ]);
  expect(database.sessions.find('s')?.checkpoints).toBe(0);
  // The same from nothing, but for what left no trace.
  const { database: fresh } = openTestDatabase();
  await reindexSession(fresh, nodeFiles, root, 's');
  expect(contents(fresh)[0]?.checkpoints).toEqual(database.checkpoints.ofSession('s').slice(1));
});

test('a session that lost its session.json is still listed, from its manifests', async () => {
  const base = temporaryDirectory();
  const { layout } = await makeSession(base, 's');
  rmSync(join(layout.directory, 'session.json'));
  const { database } = openTestDatabase();
  expect(await reindexSession(database, nodeFiles, join(base, 'root'), 's')).toBe(true);
  expect(database.sessions.find('s')).toMatchObject({
    state: 'crashed',
    trainer: '/training/train.ts',
    cwd: '/training',
    args: ['--epochs', '3'],
    checkpoints: 3,
    attempts: 2,
  });
});

test('directories that are absent, foreign, broken or copies change nothing and are told', async () => {
  const base = temporaryDirectory();
  const root = join(base, 'root');
  const { layout } = await makeSession(base, 's', { state: 'crashed' });
  await makeSession(base, 'gone', { state: 'crashed' });
  const { database } = openTestDatabase();
  await reindexRoots(database, nodeFiles, [root]);
  const before = contents(database);
  renameSync(join(root, 'gone'), join(base, 'moved away'));
  mkdirSync(join(root, 'no session'));
  writeFileSync(join(root, 'a file'), '');
  mkdirSync(join(root, 'broken'));
  writeFileSync(join(root, 'broken', 'session.json'), '{');
  cpSync(layout.directory, join(root, 'renamed'), { recursive: true });
  cpSync(layout.directory, join(base, 'elsewhere', 's'), { recursive: true });
  const report = await reindexRoots(database, nodeFiles, [root, join(base, 'elsewhere')]);
  expect(report.absent).toEqual(['gone']);
  expect(report.problems.map(({ path }) => path).sort()).toEqual(
    [join(base, 'elsewhere', 's'), join(root, 'broken'), join(root, 'renamed')].sort(),
  );
  expect(contents(database)).toEqual(before);
  expect(await reindexSession(database, nodeFiles, root, 'gone')).toBe(false);
  // An unmounted disk takes nothing from the index.
  renameSync(root, join(base, 'unmounted'));
  expect(await reindexRoots(database, nodeFiles, [root])).toEqual({ indexed: [], absent: [], problems: [] });
  expect(contents(database)).toEqual(before);
});

test('sessions whose root was moved are followed', async () => {
  const base = temporaryDirectory();
  await makeSession(base, 's');
  const { database } = openTestDatabase();
  await reindexRoots(database, nodeFiles, [join(base, 'root')]);
  renameSync(join(base, 'root'), join(base, 'new root'));
  await reindexRoots(database, nodeFiles, [join(base, 'root'), join(base, 'new root')]);
  expect(database.sessions.find('s')).toMatchObject({ root: join(base, 'new root'), checkpoints: 3 });
  expect(database.checkpoints.find('s', 1)?.path).toBe(join(base, 'new root', 's', 'checkpoint_s_10_1'));
  expect(readdirSync(base)).toContain('new root');
});
