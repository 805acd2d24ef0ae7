import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { findByIdentity, listSessions } from '../../src/checkpoint/find-session.ts';
import {
  checkpointName,
  makeDurableDirectory,
  parseBackupName,
  parseCheckpointName,
} from '../../src/checkpoint/layout.ts';
import { readRoots, registerRoot } from '../../src/checkpoint/roots.ts';
import { everCommitted, newSessionFile, readSessionFile, writeSessionFile } from '../../src/checkpoint/session-file.ts';
import { newSessionId } from '../../src/checkpoint/session-id.ts';
import type { SessionFile, SessionIdentity } from '../../src/checkpoint/types.ts';
import { systemError, watchedFiles } from './faulty-files.ts';
import { claimed, rejection, save, temporaryDirectory, temporaryLayout } from './store.ts';

const identity: SessionIdentity = { cwd: '/home/a', trainer: '/home/a/train.ts', args: ['--epochs', '3'], name: null };

function record(id: string, more: Partial<SessionFile> = {}): SessionFile {
  const now = new Date(Date.UTC(2026, 10, 22, 12, 0, 0));
  return { ...newSessionFile({ id, identity, token: 't', sourceDigest: null, backups: '/b', now }), ...more };
}

test('session.json comes back as it was, fields of later releases too', async () => {
  const directory = join(temporaryDirectory(), 'new', 'session');
  expect(await readSessionFile(nodeFiles, directory)).toBeNull();
  const file = Object.assign(
    record('a', {
      lastCommit: { sequence: 3, step: 9 },
      worker: {
        attempt: 1,
        group: { pid: 5, startTime: '6', bootId: null },
        outputDirectory: '/o',
        resumedFrom: 2,
      },
    }),
    { later: [1] },
  );
  await writeSessionFile(nodeFiles, directory, file);
  expect(await readSessionFile(nodeFiles, directory)).toEqual(file);
  expect(readdirSync(directory)).toEqual(['session.json']);
  expect(statSync(join(directory, 'session.json')).mode & 0o777).toBe(0o600);
});

test('it is replaced in one step, synced before and after; a failure leaves the old one', async () => {
  const directory = temporaryDirectory();
  await writeSessionFile(nodeFiles, directory, record('a'));
  const files = watchedFiles(nodeFiles, () => {});
  await writeSessionFile(files, directory, record('a', { attempts: 1 }));
  const names = files.log.map(({ name }) => name);
  const order = ['open-create', 'write', 'sync', 'rename'].map((name) => names.indexOf(name));
  expect([...order, names.lastIndexOf('syncDirectory')]).toEqual(
    [...order, names.lastIndexOf('syncDirectory')].sort((a, b) => a - b),
  );
  for (let which = 0; which < files.log.length; which++) {
    await writeSessionFile(nodeFiles, directory, record('a', { attempts: 1 }));
    const failing = watchedFiles(nodeFiles, (_, number) => {
      if (number === which) throw systemError('ENOSPC');
    });
    const error = await rejection(writeSessionFile(failing, directory, record('a', { attempts: 2 })));
    expect(error).toMatchObject({ code: 'no-space' });
    expect([1, 2]).toContain((await readSessionFile(nodeFiles, directory))?.attempts);
    expect(readdirSync(directory)).toEqual(['session.json']);
  }
});

test('a damaged or newer session.json is an error, never a fresh session; it does not keep one from saving', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const path = join(layout.directory, 'session.json');
  for (const [text, code] of [
    ['', 'io'],
    ['{"version":1}', 'io'],
    ['{"version":2}', 'format-newer'],
  ] as const) {
    writeFileSync(path, text);
    expect(await rejection(readSessionFile(nodeFiles, layout.directory))).toMatchObject({ code, path });
    expect(await rejection(everCommitted(nodeFiles, layout))).toMatchObject({ code });
  }
  await save({ layout, claim, step: 1 });
});

test('a commit that only session.json remembers still counts, for the sequence too', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  expect(await everCommitted(nodeFiles, layout)).toBe(false);
  await writeSessionFile(nodeFiles, layout.directory, record('a', { lastCommit: { sequence: 41, step: 9 } }));
  expect(await everCommitted(nodeFiles, layout)).toBe(true);
  expect((await save({ layout, claim, step: 1 })).manifest.sequence).toBe(42);
});

test.each(['checkpoint', 'backup', 'quarantine'])('a %s alone tells that there was a commit', async (what) => {
  const layout = temporaryLayout();
  const places = {
    checkpoint: join(layout.directory, checkpointName('s', 1, 1)),
    backup: join(layout.backups, 'best_1_1'),
    quarantine: join(layout.directory, '.quarantine', checkpointName('s', 1, 1)),
  };
  mkdirSync(places[what as keyof typeof places], { recursive: true });
  expect(await everCommitted(nodeFiles, layout)).toBe(true);
});

test('sessions under a root: newest first, by identity the newest, one that cannot be read is told', async () => {
  const root = temporaryDirectory();
  expect(await listSessions(nodeFiles, join(root, 'missing'))).toEqual([]);
  const write = (id: string, more: Partial<SessionFile>) =>
    writeSessionFile(nodeFiles, join(root, id), record(id, more));
  await write('a', { createdAt: '2026-11-22T12:00:00.000Z' });
  await write('c', { createdAt: '2026-11-22T13:00:00.000Z', identity: { ...identity, args: ['--epochs', '4'] } });
  await write('b', { createdAt: '2026-11-22T14:00:00.000Z' });
  mkdirSync(join(root, 'damaged'));
  writeFileSync(join(root, 'damaged', 'session.json'), 'x');
  mkdirSync(join(root, 'no session'));
  writeFileSync(join(root, 'a file'), 'x');
  const told: string[] = [];
  const found = await listSessions(nodeFiles, root, (directory) => told.push(basename(directory)));
  expect(found.map(({ id }) => id)).toEqual(['b', 'c', 'a']);
  expect(told).toEqual(['damaged']);
  expect((await findByIdentity(nodeFiles, root, identity))?.id).toBe('b');
  expect((await findByIdentity(nodeFiles, root, { ...identity, args: ['--epochs', '4'] }))?.id).toBe('c');
  expect(await findByIdentity(nodeFiles, root, { ...identity, name: 'x' })).toBeNull();
});

test('a copied directory is no session; a later record that is damaged is never passed over in silence', async () => {
  const layout = temporaryLayout();
  const root = dirname(layout.directory);
  const trainer = { path: identity.trainer, args: identity.args, sourceDigest: null };
  await save({ layout, claim: await claimed(layout), step: 1, facts: { trainer } });
  await writeSessionFile(nodeFiles, layout.directory, record(layout.session));
  await writeSessionFile(nodeFiles, join(root, '20200101_000000_aaaa'), record('20200101_000000_aaaa'));
  cpSync(layout.directory, `${layout.directory}-copy`, { recursive: true });
  const told: string[] = [];
  await listSessions(nodeFiles, root, (directory) => told.push(basename(directory)));
  expect(told).toEqual([`${layout.session}-copy`]);
  expect((await findByIdentity(nodeFiles, root, identity))?.id).toBe(layout.session);
  writeFileSync(join(layout.directory, 'session.json'), '');
  expect(await rejection(findByIdentity(nodeFiles, root, identity))).toMatchObject({ code: 'io' });
  expect(await findByIdentity(nodeFiles, root, { ...identity, args: [] })).toBeNull();
  await writeSessionFile(nodeFiles, join(root, '20990101_000000_aaaa'), record('20990101_000000_aaaa'));
  expect((await findByIdentity(nodeFiles, root, identity))?.id).toBe('20990101_000000_aaaa');
});

test('ids of sessions: local time and four characters', () => {
  const values = [0, 0.5, 0.999, 0.03125];
  expect(newSessionId(new Date(2026, 0, 2, 3, 4, 5), () => values.shift() ?? 0)).toBe('20260102_030405_0gz1');
});

test('names of checkpoints', () => {
  expect(parseCheckpointName(checkpointName('20261122_120000_abcd', 3201, 12))).toEqual({
    session: '20261122_120000_abcd',
    step: 3201,
    sequence: 12,
  });
  for (const name of ['latest', 'checkpoint_x', 'checkpoint_s_1_', 'checkpoint_s_1_2~2', 'best_1_2']) {
    expect(parseCheckpointName(name)).toBeNull();
  }
  expect(parseBackupName('best_5_6')).toEqual({ step: 5, sequence: 6 });
});

test('roots: each once, a torn line is no part of the next', async () => {
  const file = join(temporaryDirectory(), 'home', 'roots.txt');
  expect(await readRoots(nodeFiles, file)).toEqual([]);
  await registerRoot(nodeFiles, file, '/a');
  writeFileSync(file, '/torn', { flag: 'a' });
  await registerRoot(nodeFiles, file, '/b');
  await registerRoot(nodeFiles, file, '/a');
  await Promise.all(['/c', '/d', '/e'].map((root) => registerRoot(nodeFiles, file, root)));
  expect((await readRoots(nodeFiles, file)).sort()).toEqual(['/a', '/b', '/c', '/d', '/e', '/torn']);
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(7);
  expect(await rejection(registerRoot(nodeFiles, file, '/a\n/b'))).toMatchObject({ code: 'usage' });
});

test('a level that a dead process made and did not sync is synced by the next one', async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'left'));
  const synced: string[] = [];
  const files: StoreFiles = {
    ...nodeFiles,
    async syncDirectory(path) {
      synced.push(path);
      await nodeFiles.syncDirectory(path);
    },
  };
  await makeDurableDirectory(files, join(directory, 'left', 'new'));
  expect(synced).toEqual([directory, join(directory, 'left')]);
});
