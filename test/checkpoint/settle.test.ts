import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseCheckpoint } from '../../src/checkpoint/choose.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import type { StoreLayout } from '../../src/checkpoint/layout.ts';
import { listCheckpoints } from '../../src/checkpoint/list.ts';
import { listPins, pin, unpin } from '../../src/checkpoint/pins.ts';
import { newSessionFile, writeSessionFile } from '../../src/checkpoint/session-file.ts';
import { settleCommit } from '../../src/checkpoint/settle.ts';
import type { Committed } from '../../src/checkpoint/types.ts';
import { markVerified } from '../../src/checkpoint/verified-marker.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import { systemError, watchedFiles } from './faulty-files.ts';
import { claimed, patterned, SESSION, save, temporaryLayout } from './store.ts';

const KEEP_2 = { keep: 2, maxBytes: null };
const settle = (
  layout: StoreLayout,
  committed: Committed,
  files: StoreFiles = nodeFiles,
  resumedFrom: number | null = null,
) => settleCommit(files, { layout, committed, retention: KEEP_2, resumedFrom });
const steps = async (layout: StoreLayout): Promise<(number | null)[]> =>
  (await listCheckpoints(nodeFiles, layout)).filter(({ place }) => place === 'session').map(({ step }) => step);

test('reads back, marks, rotates; what is pinned, resumed from or best stays', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const removed: number[] = [];
  for (let step = 1; step <= 8; step++) {
    const committed = await save({ layout, claim, step, facts: { kinds: step === 4 ? ['best', 'auto'] : ['auto'] } });
    if (step === 1) await pin(nodeFiles, layout, 1, 'compared later');
    expect(existsSync(join(committed.path, 'verified.json'))).toBe(false);
    const settled = await settle(layout, committed, nodeFiles, 2);
    expect(settled.verdict).toMatchObject({ status: 'verified' });
    expect(existsSync(join(committed.path, 'verified.json'))).toBe(true);
    removed.push(...settled.removed);
  }
  expect(await steps(layout)).toEqual([8, 7, 4, 2, 1]);
  expect(removed).toEqual([3, 5, 6]);
  expect(readdirSync(join(layout.directory, '.trash'))).toEqual([]);
  expect(await listPins(nodeFiles, layout)).toEqual([1]);
  await unpin(nodeFiles, layout, 1);
  await unpin(nodeFiles, layout, 1);
  await settle(layout, await save({ layout, claim, step: 9 }));
  expect(await steps(layout)).toEqual([9, 8, 4]);
  for (const { verified, path } of await listCheckpoints(nodeFiles, layout)) {
    expect(verified).toBe(true);
    expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({
      status: 'verified',
    });
  }
});

test('what the record has set aside is rotated away before what it can be gone on from; nothing goes where it is unreadable', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  for (const step of [1, 2, 3, 4, 5, 6]) await save({ layout, claim, step });
  const now = new Date();
  const identity = { cwd: '/', trainer: '/train.mjs', args: [], name: null };
  const made = newSessionFile({ id: SESSION, identity, token: 't', sourceDigest: null, backups: layout.backups, now });
  const setAside = [3, 4, 5, 6].map((sequence) => ({
    sequence,
    step: sequence,
    reason: 'left',
    at: now.toISOString(),
  }));
  await writeSessionFile(nodeFiles, layout.directory, { ...made, setAside });
  for (const step of [2, 1]) {
    const found = (await listCheckpoints(nodeFiles, layout)).find((entry) => entry.step === step);
    await markVerified(nodeFiles, found?.path ?? '', 1);
  }
  const record = join(layout.directory, 'session.json');
  const text = readFileSync(record);
  writeFileSync(record, 'torn');
  expect((await settle(layout, await save({ layout, claim, step: 7 }))).removed).toEqual([]);
  writeFileSync(record, text);
  await settle(layout, await save({ layout, claim, step: 8 }), nodeFiles, null);
  expect(await steps(layout)).toEqual([8, 7, 6]);
});

/** The real disk, on which whatever belongs to one of these checkpoints cannot be read. */
const refusing = (steps: ReadonlySet<number>, errno: string, name: string): StoreFiles =>
  watchedFiles(nodeFiles, ({ name: operation, path }) => {
    const step = Number(path.split('_').at(-2));
    if (steps.has(step) && operation === name && path.endsWith('.safetensors')) throw systemError(errno);
  });

test.each([
  ['EACCES', 'open-read'],
  ['EIO', 'read'],
] as const)('what cannot be read (%s) is never rotated away, and goes once it can', async (errno, operation) => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  for (const step of [1, 2]) await settle(layout, await save({ layout, claim, step }));
  const files = refusing(new Set([2]), errno, operation);
  const removed: number[] = [];
  for (const step of [3, 4, 5]) {
    const settled = await settle(layout, await save({ layout, claim, step }), files);
    removed.push(...settled.removed);
    const kept = settled.unreadable.map(({ sequence, reason }) => [sequence, reason.includes(errno)]);
    expect(kept).toEqual(step === 3 ? [] : [[2, true]]);
  }
  expect(removed).toEqual([1, 3]);
  expect(await steps(layout)).toEqual([5, 4, 2]);
  expect((await settle(layout, await save({ layout, claim, step: 6 }))).removed).toEqual([2, 4]);
});

test('what the choice could not read in its midst stays too: without its mark it is read whole before it goes', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  for (const step of [1, 2]) await settle(layout, await save({ layout, claim, step }));
  const files = watchedFiles(nodeFiles, ({ name, path }) => {
    // Only where the whole file is read, past the page cache.
    if (name === 'read' && path.includes('_2_2') && path.endsWith('.safetensors')) isRead = true;
    if (name === 'read' && isBroken && path.includes('_2_2') && path.endsWith('.safetensors')) throw systemError('EIO');
  });
  let isRead = false;
  let isBroken = true;
  const choice = await chooseCheckpoint(files, { layout, setAside: new Set(), quarantine: true });
  expect(choice.chosen?.manifest.step).toBe(1);
  expect((await listCheckpoints(nodeFiles, layout)).find(({ step }) => step === 2)?.verified).toBe(false);
  for (const step of [3, 4]) await settle(layout, await save({ layout, claim, step }), files);
  expect(await steps(layout)).toEqual([4, 3, 2]);
  expect(isRead).toBe(true);
  isBroken = false;
  await settle(layout, await save({ layout, claim, step: 5 }), files);
  expect(await steps(layout)).toEqual([5, 4]);
});

test('a commit that does not read back is quarantined, and nothing older is removed', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  for (const step of [1, 2, 3]) await save({ layout, claim, step });
  const committed = await save({ layout, claim, step: 4 });
  truncateSync(join(committed.path, 'state.json'), 0);
  const settled = await settle(layout, committed);
  expect(settled).toMatchObject({ verdict: { status: 'damaged' }, removed: [], backup: null });
  expect(settled.quarantinedTo).toContain('.quarantine');
  expect(await steps(layout)).toEqual([3, 2, 1]);
});

test('a fenced process leaves everything to the new owner', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  for (const step of [1, 2, 3]) await settle(layout, await save({ layout, claim, step }));
  const committed = await save({ layout, claim, step: 4 });
  const higher = await claimed(layout);
  await save({ layout, claim: higher, step: 5 });
  expect(await settle(layout, committed)).toMatchObject({ verdict: { status: 'verified' }, removed: [] });
  expect(await steps(layout)).toEqual([5, 4, 3, 2]);
});

test('the best has a copy of its own elsewhere; the old copy goes only after the new one verifies', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const best = (step: number) => save({ layout, claim, step, facts: { kinds: ['best'] } });
  const first = await settle(layout, await best(1));
  expect(first.backup).toBe(join(layout.backups, 'best_1_1'));
  expect(await verifyCheckpoint(nodeFiles, first.backup ?? '', { session: SESSION, level: 2 })).toMatchObject({
    status: 'verified',
  });
  expect(readFileSync(join(first.backup ?? '', 'tensors.safetensors'))).toEqual(
    readFileSync(join(layout.directory, `checkpoint_${SESSION}_1_1`, 'tensors.safetensors')),
  );
  const files = watchedFiles(nodeFiles, () => {});
  const second = await settle(layout, await best(2), files);
  expect(basename(second.backup ?? '')).toBe('best_2_2');
  const copies = () => readdirSync(layout.backups).filter((name) => name.startsWith('best_'));
  expect(copies()).toEqual(['best_2_2']);
  const published = files.log.findIndex(({ name, to }) => name === 'rename' && to === second.backup);
  const read = files.log.findIndex(
    ({ name, path }, i) => i > published && name === 'read' && path.startsWith(second.backup ?? ''),
  );
  const gone = files.log.findIndex(({ name, path }) => name === 'rename' && path.endsWith('best_1_1'));
  expect([published, read, gone]).toEqual([published, read, gone].sort((a, b) => a - b));
  expect(published).toBeGreaterThan(0);
  const synced = files.log
    .slice(0, published)
    .filter(({ name, path }) => name === 'sync' && path.startsWith(layout.backups));
  expect(synced.map(({ path }) => basename(path))).toEqual(
    expect.arrayContaining(['tensors.safetensors', 'state.json', 'manifest.json']),
  );
  // Not due: the best has its copy.
  expect((await settle(layout, await save({ layout, claim, step: 3 }))).backup).toBeNull();
  expect(copies()).toEqual(['best_2_2']);
});

test('a backup that fails is said, keeps the old copy, and is caught up after the next commit', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const best = (step: number) => save({ layout, claim, step, facts: { kinds: ['best'] } });
  await settle(layout, await best(1));
  const full: StoreFiles = watchedFiles(nodeFiles, ({ name, path }) => {
    if (name === 'write' && path.startsWith(layout.backups)) throw systemError('ENOSPC');
  });
  const failed = await settle(layout, await best(2), full);
  expect(failed).toMatchObject({ backup: null, verdict: { status: 'verified' } });
  expect(failed.backupProblem).toContain('No space left');
  expect(readdirSync(layout.backups).sort()).toEqual(
    ['.staging', '.trash', 'best_1_1'].filter(
      (name) => name !== '.trash' || existsSync(join(layout.backups, '.trash')),
    ),
  );
  expect(readdirSync(join(layout.backups, '.staging'))).toEqual([]);
  const caughtUp = await settle(layout, await save({ layout, claim, step: 3 }));
  expect(basename(caughtUp.backup ?? '')).toBe('best_2_2');
});

test('a copy that does not verify is not trusted: it is quarantined, the old one stays', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const best = (step: number) => save({ layout, claim, step, facts: { kinds: ['best'] } });
  await settle(layout, await best(1));
  const files: StoreFiles = {
    ...nodeFiles,
    async rename(from, to) {
      await nodeFiles.rename(from, to);
      if (to.endsWith('best_2_2')) writeFileSync(join(to, 'state.json'), '{"step":9}');
    },
  };
  const settled = await settle(layout, await best(2), files);
  expect(settled.backupProblem).toContain('the copy does not verify');
  expect(readdirSync(layout.backups)).toContain('best_1_1');
  expect(readdirSync(join(layout.backups, '.quarantine'))).toContain('best_2_2');
});

test('damage in the source is not spread to its copy', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const best = await save({ layout, claim, step: 1, facts: { kinds: ['best'] } });
  writeFileSync(join(best.path, 'state.json'), '{"step":9}');
  const settled = await settle(layout, await save({ layout, claim, step: 2 }));
  expect(settled.backupProblem).toContain('chunk 0 of state.json is damaged');
  expect(readdirSync(layout.backups).filter((name) => name.startsWith('best_'))).toEqual([]);
});

test('values that are not finite are found when a small commit is read back', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const bytes = patterned(1040, 1).slice();
  new DataView(bytes.buffer).setFloat32(16, Number.NaN, true);
  const settled = await settle(layout, await save({ layout, claim, step: 1, bytes }));
  expect(settled.verdict).toMatchObject({ status: 'damaged', damages: [{ tensors: ['weights'] }] });
});

test('a backup that is damaged is made again: its name alone does not count', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const first = await settle(layout, await save({ layout, claim, step: 1, facts: { kinds: ['best'] } }));
  truncateSync(join(first.backup ?? '', 'tensors.safetensors'), 10);
  const second = await settle(layout, await save({ layout, claim, step: 2 }));
  expect(second.backup).toBe(first.backup);
  expect(await verifyCheckpoint(nodeFiles, first.backup ?? '', { session: SESSION, level: 1 })).toMatchObject({
    status: 'verified',
  });
  expect((await settle(layout, await save({ layout, claim, step: 3 }))).backup).toBeNull();
});
