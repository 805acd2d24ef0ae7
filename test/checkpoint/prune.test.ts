import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { pin } from '../../src/checkpoint/pins.ts';
import { deleteSession, pruneSession, surveySession } from '../../src/checkpoint/prune.ts';
import { quarantineCheckpoint } from '../../src/checkpoint/quarantine.ts';
import type { Committed } from '../../src/checkpoint/types.ts';
import { markVerified } from '../../src/checkpoint/verified-marker.ts';
import { systemError, watchedFiles } from './faulty-files.ts';
import { claimed, save, temporaryLayout } from './store.ts';

const NOTHING: ReadonlySet<string> = new Set();
const RULES = { keep: 1, keepBytes: null, before: null };

async function storeOf(count: number) {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const committed: Committed[] = [];
  for (let step = 1; step <= count; step += 1) {
    const one = await save({ layout, claim, step });
    await markVerified(nodeFiles, one.path, 2);
    committed.push(one);
  }
  const survey = () => surveySession(nodeFiles, { layout, mayChange: true, resumedFrom: null });
  return { layout, committed, survey, agreed: new Set(committed.map(({ path }) => path)) };
}

const left = (directory: string): string[] => readdirSync(directory).filter((name) => name.startsWith('checkpoint_'));

test('what cannot be read stays although it was agreed to, and that is said', async () => {
  const { layout, survey, agreed } = await storeOf(5);
  const files = watchedFiles(nodeFiles, ({ name, path }) => {
    if (name === 'open-read' && path.includes('_2_2/') && path.endsWith('state.json')) throw systemError('EACCES');
  });
  const request = { survey: await survey(), rules: RULES, agreed, quarantine: NOTHING };
  const pruned = await pruneSession(files, request);
  expect(pruned.removed.map(({ sequence }) => sequence)).toEqual([1, 3]);
  expect(pruned.spared).toContain('checkpoint 2 cannot be read and stays');
  expect(left(layout.directory)).toHaveLength(3);
});

test('takes what was agreed to, leaves pins and the last two, and empties the trash', async () => {
  const { layout, survey, agreed } = await storeOf(5);
  await pin(nodeFiles, layout, 2, 'kept by hand');
  mkdirSync(join(layout.directory, '.trash', 'left over'), { recursive: true });
  writeFileSync(join(layout.directory, '.trash', 'left over', 'x'), 'xyz');
  expect((await survey()).trashBytes).toBe(3);
  const pruned = await pruneSession(nodeFiles, { survey: await survey(), rules: RULES, agreed, quarantine: NOTHING });
  expect(pruned.removed.map(({ sequence }) => sequence)).toEqual([1, 3]);
  expect(left(layout.directory)).toHaveLength(3);
  expect(readdirSync(join(layout.directory, '.trash'))).toEqual([]);
});

test('only what was agreed to goes, though more may', async () => {
  const { committed, survey } = await storeOf(5);
  const agreed = new Set([committed[1]?.path ?? '']);
  const pruned = await pruneSession(nodeFiles, { survey: await survey(), rules: RULES, agreed, quarantine: NOTHING });
  expect(pruned.removed.map(({ sequence }) => sequence)).toEqual([2]);
});

test('a mark is not believed: nothing goes that is not older than one that verifies now', async () => {
  const { layout, committed, survey, agreed } = await storeOf(5);
  for (const { path } of committed.slice(2)) writeFileSync(join(path, 'tensors.safetensors'), 'rotten');
  const pruned = await pruneSession(nodeFiles, { survey: await survey(), rules: RULES, agreed, quarantine: NOTHING });
  expect(pruned.removed).toEqual([]);
  expect(pruned.spared).toContain('checkpoint 5, 4, 3 is damaged');
  expect(left(layout.directory)).toHaveLength(5);
});

test('the quarantine is emptied only where something verifies', async () => {
  const { layout, committed, survey } = await storeOf(3);
  const newest = committed[2]?.path ?? '';
  const went = await quarantineCheckpoint(nodeFiles, layout, newest, 'a flipped bit');
  const all = { rules: RULES, agreed: NOTHING };
  const found = await survey();
  expect(found.quarantined).toMatchObject([{ sequence: 3, reason: 'a flipped bit' }]);
  expect(found.quarantined[0]?.bytes).toBeGreaterThan(1_000);
  for (const { path } of committed.slice(0, 2)) writeFileSync(join(path, 'state.json'), 'rotten');
  expect((await pruneSession(nodeFiles, { ...all, survey: found, quarantine: new Set([went]) })).quarantined).toEqual(
    [],
  );
  expect(existsSync(went)).toBe(true);
  await quarantineCheckpoint(nodeFiles, layout, committed[1]?.path ?? '', 'rotten');
  writeFileSync(join(committed[0]?.path ?? '', 'state.json'), '{"step":1}');
  const held = await survey();
  const quarantine = new Set(held.quarantined.map(({ path }) => path));
  expect((await pruneSession(nodeFiles, { ...all, survey: held, quarantine })).quarantined).toHaveLength(2);
  expect(readdirSync(join(layout.directory, '.quarantine'))).toEqual([]);
});

test('a whole session goes in one step', async () => {
  const { layout } = await storeOf(2);
  const root = join(layout.directory, '..');
  expect(await deleteSession(nodeFiles, root, layout)).toBeGreaterThan(2_000);
  expect(readdirSync(root)).toEqual(['.trash']);
  expect(readdirSync(join(root, '.trash'))).toEqual([]);
});
