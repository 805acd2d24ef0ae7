import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseCheckpoint } from '../../src/checkpoint/choose.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { checkpointName, type StoreLayout } from '../../src/checkpoint/layout.ts';
import { listCheckpoints } from '../../src/checkpoint/list.ts';
import { listQuarantine, pruneQuarantine, quarantineCheckpoint } from '../../src/checkpoint/quarantine.ts';
import { everCommitted } from '../../src/checkpoint/session-file.ts';
import { settleCommit } from '../../src/checkpoint/settle.ts';
import type { Candidate, Choice, Committed } from '../../src/checkpoint/types.ts';
import { systemError } from './faulty-files.ts';
import { claimed, SESSION, save, temporaryLayout } from './store.ts';

const choose = (layout: StoreLayout, more: { setAside?: number[]; only?: number | string; files?: StoreFiles } = {}) =>
  chooseCheckpoint(more.files ?? nodeFiles, {
    layout,
    setAside: new Set(more.setAside ?? []),
    quarantine: true,
    ...(more.only === undefined ? {} : { only: more.only }),
  });
const words = ({ candidates }: Choice): string[] =>
  candidates.map(({ sequence, place, verdict }: Candidate) => `${sequence} ${place} ${verdict}`);

async function saved(layout: StoreLayout, steps: number[], kinds: string[] = ['auto']): Promise<Committed[]> {
  const claim = await claimed(layout);
  const commits = [];
  for (const step of steps) commits.push(await save({ layout, claim, step, facts: { kinds } }));
  return commits;
}

const damage = ({ path }: { path: string }): void => truncateSync(join(path, 'state.json'), 1);

test('nothing was ever committed: no choice and no candidates', async () => {
  const layout = temporaryLayout();
  expect(await choose(layout)).toEqual({ chosen: null, candidates: [] });
  expect(await everCommitted(nodeFiles, layout)).toBe(false);
});

test('by sequence in the manifest, never by step, name or time', async () => {
  const layout = temporaryLayout();
  const [first, second, third] = await saved(layout, [100_000, 37_500, 7]);
  if (!first || !second || !third) throw new Error('three were saved');
  expect((await choose(layout)).chosen?.manifest.step).toBe(7);
  renameSync(first.path, join(layout.directory, checkpointName(SESSION, 999_999, 999)));
  expect((await choose(layout)).chosen?.path).toBe(third.path);
  rmSync(third.path, { recursive: true });
  expect((await choose(layout)).chosen?.path).toBe(second.path);
  // The number in a name counts too: it is never given again.
  const [next] = await saved(layout, [8]);
  expect(next?.manifest.sequence).toBe(1000);
});

test('the same sequence twice (a fenced process raced): the higher claim is newer', async () => {
  const layout = temporaryLayout();
  const [one] = await saved(layout, [5]);
  if (one === undefined) throw new Error('one was saved');
  renameSync(one.path, join(layout.directory, '../kept'));
  const claim = await claimed(layout);
  const higher = await save({ layout, claim, step: 4 });
  expect([higher.manifest.sequence, higher.manifest.claim]).toEqual([1, 2]);
  renameSync(join(layout.directory, '../kept'), one.path);
  expect((await choose(layout)).chosen?.path).toBe(higher.path);
});

test('falls back past damage, says why, quarantines; the sequence is not used again', async () => {
  const layout = temporaryLayout();
  const commits = await saved(layout, [1, 2, 3, 4]);
  for (const commit of commits.slice(2)) damage(commit);
  const choice = await choose(layout, { setAside: [2] });
  expect(words(choice)).toEqual(['4 session damaged', '3 session damaged', '2 session set-aside', '1 session chosen']);
  expect(choice.candidates[0]?.reason).toContain('state.json: the file was cut to 1 of');
  for (const { reason } of choice.candidates) expect(reason.length).toBeGreaterThan(10);
  expect(words(await choose(layout))).toEqual([
    '2 session chosen',
    '1 session not-needed',
    '4 quarantine damaged',
    '3 quarantine damaged',
  ]);
  const [next] = await saved(layout, [3]);
  expect(next?.manifest.sequence).toBe(5);
});

test('only: one by sequence or path, also one that was set aside, and no other in its place', async () => {
  const layout = temporaryLayout();
  const [first, second] = await saved(layout, [1, 2]);
  if (!first || !second) throw new Error('two were saved');
  const bySequence = await choose(layout, { only: 1, setAside: [1] });
  expect(words(bySequence)).toEqual(['2 session not-needed', '1 session chosen']);
  expect((await choose(layout, { only: first.path })).chosen?.path).toBe(first.path);
  expect((await choose(layout, { only: 9 })).chosen).toBeNull();
  damage(first);
  expect(await choose(layout, { only: 1 })).toMatchObject({ chosen: null });
  expect(existsSync(second.path)).toBe(true);
});

test('backups come last, and a damaged one is quarantined beside them', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const committed = await save({ layout, claim, step: 1, facts: { kinds: ['auto', 'best'] } });
  const retention = { keep: 5, maxBytes: null };
  const { backup } = await settleCommit(nodeFiles, { layout, committed, retention, resumedFrom: null });
  const later = await save({ layout, claim, step: 2 });
  expect(words(await choose(layout))).toEqual(['2 session chosen', '1 session not-needed', '1 backup not-needed']);
  damage(later);
  damage(committed);
  const choice = await choose(layout);
  expect(choice.chosen?.path).toBe(backup);
  expect(words(choice)).toEqual(['2 session damaged', '1 session damaged', '1 backup chosen']);
  // Set aside is a sequence, wherever it lies.
  expect(words(await choose(layout, { setAside: [1] }))[0]).toBe('1 backup set-aside');
  damage({ path: backup ?? '' });
  const none = await choose(layout);
  expect(none.chosen).toBeNull();
  expect(none.candidates[0]?.quarantinedTo).toBe(join(layout.backups, '.quarantine', basename(backup ?? '')));
  expect(await listQuarantine(nodeFiles, layout)).toHaveLength(3);
});

test('all damaged: nothing is chosen, nothing deleted, and the session is known to have had commits', async () => {
  const layout = temporaryLayout();
  const commits = await saved(layout, [1, 2, 3]);
  for (const commit of commits) damage(commit);
  const choice = await choose(layout);
  expect(choice.chosen).toBeNull();
  expect(words(choice)).toEqual(['3 session damaged', '2 session damaged', '1 session damaged']);
  expect(await everCommitted(nodeFiles, layout)).toBe(true);
  for (const { path } of await listQuarantine(nodeFiles, layout)) {
    expect(readdirSync(path).sort()).toEqual(['manifest.json', 'state.json', 'tensors.safetensors']);
  }
  expect((await choose(layout)).candidates.length).toBe(3);
});

test('all damaged: however many there are, none is deleted before a newer one verifies', async () => {
  const layout = temporaryLayout();
  for (const commit of await saved(layout, [1, 2, 3, 4, 5, 6, 7, 8])) damage(commit);
  expect((await choose(layout)).chosen).toBeNull();
  expect(await listQuarantine(nodeFiles, layout)).toHaveLength(8);
  const claim = await claimed(layout);
  const more = { layout, retention: { keep: 5, maxBytes: null }, resumedFrom: null };
  const bad = await save({ layout, claim, step: 9 });
  damage(bad);
  await settleCommit(nodeFiles, { ...more, committed: bad });
  expect(await listQuarantine(nodeFiles, layout)).toHaveLength(9);
  await settleCommit(nodeFiles, { ...more, committed: await save({ layout, claim, step: 10 }) });
  expect((await listQuarantine(nodeFiles, layout)).map(({ sequence }) => sequence)).toEqual([9, 8, 7, 6, 5]);
  const worse = await save({ layout, claim, step: 11 });
  damage(worse);
  await settleCommit(nodeFiles, { ...more, committed: worse });
  expect((await listQuarantine(nodeFiles, layout)).map(({ sequence }) => sequence)).toEqual([11, 9, 8, 7, 6]);
});

test('a quarantine of which the notes or the place of the backups cannot be read hinders nothing', async () => {
  const layout = temporaryLayout();
  const [first, second] = await saved(layout, [1, 2]);
  if (!first || !second) throw new Error('two were saved');
  const aside = await quarantineCheckpoint(nodeFiles, layout, second.path, 'the test says so');
  rmSync(`${aside}.reason.json`);
  symlinkSync('elsewhere', `${aside}.reason.json`);
  mkdirSync(dirname(layout.backups), { recursive: true });
  writeFileSync(layout.backups, 'no directory');
  const choice = await choose(layout);
  expect(choice.chosen?.path).toBe(first.path);
  expect(words(choice)).toEqual(['1 session chosen', '2 quarantine damaged', '0 backup unreadable']);
});

test('the quarantine keeps the newest five, and what is moved there never collides', async () => {
  const layout = temporaryLayout();
  const commits = await saved(layout, [1, 2, 3, 4, 5, 6, 7]);
  for (const { path } of commits) await quarantineCheckpoint(nodeFiles, layout, path, 'the test says so');
  await pruneQuarantine(nodeFiles, layout.directory);
  const held = await listQuarantine(nodeFiles, layout);
  expect(held.map(({ sequence }) => sequence)).toEqual([7, 6, 5, 4, 3]);
  expect(held[0]).toMatchObject({ step: 7, reason: 'the test says so', at: expect.any(String) });
  expect(readdirSync(join(layout.directory, '.trash'))).toEqual([]);
  const claim = await claimed(layout);
  const again = await save({ layout, claim, step: 7 });
  expect(again.manifest.sequence).toBe(8);
  const same = join(layout.directory, basename(held[0]?.path ?? ''));
  renameSync(again.path, same);
  const moved = await quarantineCheckpoint(nodeFiles, layout, same, 'again');
  expect(basename(moved)).toBe(`${basename(same)}~2`);
  await pruneQuarantine(nodeFiles, layout.directory);
  expect((await listQuarantine(nodeFiles, layout)).map(({ sequence }) => sequence)).toEqual([7, 7, 6, 5, 4]);
});

test('a quarantine that cannot be written does not keep the run from an older checkpoint', async () => {
  const layout = temporaryLayout();
  const [first, second] = await saved(layout, [1, 2]);
  if (!first || !second) throw new Error('two were saved');
  damage(second);
  const files: StoreFiles = { ...nodeFiles, rename: () => Promise.reject(systemError('EROFS')) };
  const choice = await choose(layout, { files });
  expect(choice.chosen?.path).toBe(first.path);
  expect(choice.candidates[0]).toMatchObject({ verdict: 'damaged', quarantinedTo: null });
  expect(choice.candidates[0]?.reason).toContain('could not be quarantined');
});

test('a backup disk that cannot be read is said, and the session goes on', async () => {
  const layout = temporaryLayout();
  const [first] = await saved(layout, [1]);
  const files: StoreFiles = {
    ...nodeFiles,
    list: (path) => (path === layout.backups ? Promise.reject(systemError('EIO')) : nodeFiles.list(path)),
  };
  const choice = await choose(layout, { files });
  expect(choice.chosen?.path).toBe(first?.path);
  expect(words(choice)).toEqual(['1 session chosen', '0 backup unreadable']);
  expect(await listCheckpoints(files, layout)).toHaveLength(1);
  const blind: StoreFiles = { ...nodeFiles, list: () => Promise.reject(systemError('EIO')) };
  await expect(choose(layout, { files: blind })).rejects.toMatchObject({ code: 'io' });
});
