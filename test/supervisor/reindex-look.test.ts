import { mkdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { newSessionFile, writeSessionFile } from '../../src/checkpoint/session-file.ts';
import { refreshSession, reindexRoots } from '../../src/supervisor/reindex.ts';
import { lookAtRoot } from '../../src/supervisor/reindex-look.ts';
import type { SessionState } from '../../src/words.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { openTestDatabase } from '../sessions/open-test-database.ts';

const OLD = new Date('2026-11-22T10:00:00Z');

async function record(root: string, id: string, state: SessionState, minute = 0): Promise<void> {
  const identity = { cwd: '/t', trainer: '/t/train.ts', args: [], name: null };
  const now = new Date(Date.UTC(2026, 10, 22, 12, minute));
  const file = newSessionFile({ id, identity, token: 't', sourceDigest: null, backups: '/b', now });
  await writeSessionFile(nodeFiles, join(root, id), { ...file, state, updatedAt: new Date().toISOString() });
}

/** As if nothing had been put into it for hours. */
function rest(root: string): void {
  utimesSync(root, OLD, OLD);
}

const look = (database: ReturnType<typeof openTestDatabase>['database'], root: string, newest = 100) =>
  lookAtRoot(database, root, { nowMs: Date.now(), newest });

test('a root at rest is listed once; then only what may be changing is looked at', async () => {
  const root = temporaryDirectory();
  await record(root, 'done', 'completed');
  await record(root, 'live', 'running');
  rest(root);
  const { database } = openTestDatabase();
  await reindexRoots(database, nodeFiles, [root]);
  // Were it listed, the missing one would be told.
  rmSync(join(root, 'done'), { recursive: true });
  rest(root);
  expect(look(database, root)).toMatchObject({ candidates: [], absent: [], listed: null });
  await record(root, 'live', 'crashed');
  expect(look(database, root)?.candidates.map(({ id }) => id)).toEqual(['live']);
});

test('a session that is put into a root at rest is found', async () => {
  const root = temporaryDirectory();
  await record(root, 'a', 'completed');
  rest(root);
  const { database } = openTestDatabase();
  await reindexRoots(database, nodeFiles, [root]);
  await record(root, 'b', 'completed');
  expect((await reindexRoots(database, nodeFiles, [root])).indexed).toEqual(['b']);
});

test('a root that has just changed is listed again: a second change may look like the first', async () => {
  const root = temporaryDirectory();
  await record(root, 'a', 'completed');
  const { database } = openTestDatabase();
  await reindexRoots(database, nodeFiles, [root]);
  await record(root, 'b', 'completed');
  expect((await reindexRoots(database, nodeFiles, [root])).indexed).toEqual(['b']);
});

test('a directory that is no session yet keeps its root from being taken for known', async () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'coming'));
  rest(root);
  const { database } = openTestDatabase();
  await reindexRoots(database, nodeFiles, [root]);
  await record(root, 'coming', 'running');
  rest(root);
  expect((await reindexRoots(database, nodeFiles, [root])).indexed).toEqual(['coming']);
});

test('a directory that cannot be read is told each time', async () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'x', 'session.json'), { recursive: true });
  rest(root);
  const { database } = openTestDatabase();
  for (let times = 0; times < 2; times += 1) {
    expect((await reindexRoots(database, nodeFiles, [root])).problems).toHaveLength(1);
  }
});

test('an old session that went on alone is brought up to date when it is used', async () => {
  const root = temporaryDirectory();
  await record(root, 'old', 'crashed', 0);
  await record(root, 'new', 'crashed', 1);
  rest(root);
  const { database } = openTestDatabase();
  await reindexRoots(database, nodeFiles, [root]);
  await record(root, 'old', 'completed', 0);
  expect(look(database, root, 1)?.candidates).toEqual([]);
  await refreshSession(database, nodeFiles, root, 'old');
  expect(database.sessions.find('old')?.state).toBe('completed');
});
