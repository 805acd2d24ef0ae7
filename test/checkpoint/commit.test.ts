import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { beginCommit } from '../../src/checkpoint/commit.ts';
import { CHUNK_BYTES, digestOf } from '../../src/checkpoint/digest.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { openCheckpoint } from '../../src/checkpoint/open.ts';
import type { TensorSpec } from '../../src/checkpoint/types.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import { watchedFiles } from './faulty-files.ts';
import { claimed, facts, patterned, rejection, SESSION, SMALL, save, temporaryLayout } from './store.ts';

test('what was appended in any splitting comes back', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const tensors: TensorSpec[] = [
    { name: 'odd', dtype: 'U8', shape: [3] },
    { name: 'empty', dtype: 'F32', shape: [4, 0] },
    { name: 'large', dtype: 'F32', shape: [5_000_001] },
    { name: 'scalar', dtype: 'F64', shape: [] },
    { name: 'last empty', dtype: 'I64', shape: [0] },
  ];
  const all = patterned(3 + 20_000_004 + 8, 1).slice();
  new DataView(all.buffer).setFloat64(all.length - 8, 1.5, true);
  all.copyWithin(3, 0, 20_000_004);
  const commit = await beginCommit(nodeFiles, { layout, claim, tensors });
  for (let at = 0, size = 1; at < all.length; at += size, size = (size * 7 + 1) % 9_000_000) {
    const part = all.slice(at, at + size);
    await commit.append(part);
    part.fill(0xff); // consumed: what happens to it now must not show
    size = part.length;
  }
  const { path, manifest } = await commit.finish({ state: '{"a":"ä"}', facts: facts(5) });
  expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({ status: 'verified' });
  const opened = await openCheckpoint(nodeFiles, path, SESSION);
  expect(await opened.state()).toBe('{"a":"ä"}');
  let at = 0;
  const names: string[] = [];
  for await (const { name, bytes } of opened.tensors()) {
    expect(digestOf(bytes)).toBe(digestOf(all.subarray(at, at + bytes.length)));
    expect(bytes.buffer.byteLength).toBe(bytes.length);
    at += bytes.length;
    names.push(name);
  }
  await opened.close();
  expect(names).toEqual(tensors.map(({ name }) => name));
  expect(at).toBe(all.length);
  expect(manifest.files['tensors.safetensors']?.chunks).toHaveLength(Math.ceil((20_000_015 + 500) / CHUNK_BYTES));
});

test('every file is synced before the manifest, the directory before the rename, both parents before the answer', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const files = watchedFiles(nodeFiles, () => {});
  const commit = await beginCommit(files, { layout, claim, tensors: SMALL });
  await commit.append(patterned(64 * 16 + 16, 1));
  const { path } = await commit.finish({ state: '{}', facts: facts(1) });
  const staged = (name: string) => (operation: { path: string }) =>
    operation.path.includes('.staging/commit_') && basename(operation.path) === name;
  const at = (name: string, matches: (operation: { path: string; to?: string }) => boolean) =>
    files.log.findIndex((operation) => operation.name === name && matches(operation));
  const rename = at('rename', ({ to }) => to === path);
  const order = [
    at('makeDirectory', ({ path: made }) => made.endsWith('.staging')),
    at('syncDirectory', ({ path: synced }) => synced === layout.directory),
    at('write', staged('tensors.safetensors')),
    at('truncate', staged('tensors.safetensors')),
    at('sync', staged('tensors.safetensors')),
    at('write', staged('state.json')),
    at('sync', staged('state.json')),
    at('write', staged('manifest.json')),
    at('sync', staged('manifest.json')),
    at('syncDirectory', ({ path: synced }) => synced.includes('.staging/commit_')),
    // The claim is looked at again at the last moment.
    files.log.findLastIndex(({ name, path: listed }) => name === 'list' && listed.endsWith('owners')),
    rename,
    files.log.findIndex(({ name, path: p }, i) => i > rename && name === 'syncDirectory' && p.endsWith('.staging')),
    files.log.findLastIndex(({ name, path: synced }) => name === 'syncDirectory' && synced === layout.directory),
    at('symlink', () => true),
  ];
  expect(order).not.toContain(-1);
  expect(order).toEqual([...order].sort((a, b) => a - b));
});

test('new directories are durable up to the one that was there', async () => {
  const layout = temporaryLayout();
  const files = watchedFiles(nodeFiles, () => {});
  await claimed(layout, files);
  const made = files.log.filter(({ name }) => name === 'makeDirectory').map(({ path }) => path);
  expect(made).toHaveLength(3); // root, session, owners
  for (const path of made) {
    const makes = files.log.findIndex(({ name, path: p }) => name === 'makeDirectory' && p === path);
    const next = files.log.slice(makes + 1).find(({ name }) => name === 'makeDirectory' || name === 'syncDirectory');
    expect(next).toEqual({ name: 'syncDirectory', path: join(path, '..') });
  }
});

test('files are 0600, directories 0700', async () => {
  const layout = temporaryLayout();
  const { path } = await save({ layout, claim: await claimed(layout), step: 1 });
  const mode = (at: string): number => lstatSync(at).mode & 0o777;
  for (const directory of [
    layout.directory,
    path,
    join(layout.directory, 'owners'),
    join(layout.directory, '.staging'),
  ]) {
    expect(mode(directory)).toBe(0o700);
  }
  for (const name of readdirSync(path)) expect(mode(join(path, name))).toBe(0o600);
  expect(mode(join(layout.directory, 'owners', '1.json'))).toBe(0o600);
});

test('names never collide and the sequence only rises', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const names = [];
  for (const step of [7, 7, 37_500, 100_000, 7]) names.push(basename((await save({ layout, claim, step })).path));
  expect(names).toEqual([7, 7, 37_500, 100_000, 7].map((step, i) => `checkpoint_${SESSION}_${step}_${i + 1}`));
  expect(readlinkSync(join(layout.directory, 'latest'))).toBe(names.at(-1));
});

test('a name taken while the commit was under way: the next sequence, in the manifest too', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const first = await beginCommit(nodeFiles, { layout, claim, tensors: [] });
  const second = await beginCommit(nodeFiles, { layout, claim, tensors: [] });
  expect([first.sequence, second.sequence]).toEqual([1, 2]);
  let raced = false;
  const files: StoreFiles = {
    ...nodeFiles,
    async rename(from, to) {
      if (!raced && to.endsWith('_1_3')) {
        raced = true;
        await nodeFiles.makeDirectory(to);
        await nodeFiles.symlink('x', join(to, 'taken'));
      }
      await nodeFiles.rename(from, to);
    },
  };
  const third = await beginCommit(files, { layout, claim, tensors: [] });
  const committed = await third.finish({ state: '{}', facts: facts(1) });
  expect(raced).toBe(true);
  expect(committed.manifest.sequence).toBe(4);
  expect(third.sequence).toBe(4);
  expect(basename(committed.path)).toBe(`checkpoint_${SESSION}_1_4`);
  expect(await verifyCheckpoint(nodeFiles, committed.path, { session: SESSION, level: 2 })).toMatchObject({
    manifest: { sequence: 4 },
  });
  await first.abort();
  await second.abort();
  expect(readdirSync(join(layout.directory, '.staging'))).toEqual([]);
});

test('the number follows the order of the states, and is never that of another commit', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const older = await beginCommit(nodeFiles, { layout, claim, tensors: [] });
  const newer = await save({ layout, claim, step: 2 });
  const late = await older.finish({ state: '{}', facts: facts(1) });
  expect([late.manifest.sequence, newer.manifest.sequence]).toEqual([1, 2]);
  const third = await beginCommit(nodeFiles, { layout, claim, tensors: [] });
  await nodeFiles.makeDirectory(join(layout.directory, `checkpoint_${SESSION}_99_${third.sequence}`));
  expect((await third.finish({ state: '{}', facts: facts(3) })).manifest.sequence).toBe(4);
});

test('missing and surplus bytes are refused, and the commit can still be completed', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const commit = await beginCommit(nodeFiles, { layout, claim, tensors: SMALL });
  await commit.append(patterned(1000, 1));
  expect(await rejection(commit.finish({ state: '{}', facts: facts(1) }))).toMatchObject({ code: 'internal' });
  expect(await rejection(commit.append(new Uint8Array(41)))).toMatchObject({ code: 'internal' });
  await commit.append(new Uint8Array(40));
  const { path } = await commit.finish({ state: '{}', facts: facts(1) });
  expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({ status: 'verified' });
  expect(await rejection(commit.append(new Uint8Array(1)))).toMatchObject({ code: 'internal' });
});

test.each([
  ['__metadata__', 'F32', [1]],
  ['\ud800', 'F32', [1]],
  ['weights', 'F32', [2 ** 40, 2 ** 40]],
  ['weights', 'F32', [-1]],
  ['weights', 'F4', [3]],
] as const)('a tensor that no reader could read is refused at once: %j %s %j', async (name, dtype, shape) => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const refused = await rejection(beginCommit(nodeFiles, { layout, claim, tensors: [{ name, dtype, shape }] }));
  expect(refused).toMatchObject({ code: 'state-mismatch' });
  const twice = beginCommit(nodeFiles, { layout, claim, tensors: [...SMALL, ...SMALL] });
  expect(await rejection(twice)).toMatchObject({ code: 'state-mismatch' });
});

test('too little room is found before anything is written', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const { bytes, path } = await save({ layout, claim, step: 1 });
  const before = readdirSync(layout.directory).sort();
  const files: StoreFiles = { ...nodeFiles, freeBytes: async () => 2 * bytes - 1 };
  // The next one is small, but the last one was not.
  expect(await rejection(save({ layout, claim, step: 2, files, tensors: [] }))).toMatchObject({ code: 'no-space' });
  expect(readdirSync(layout.directory).sort()).toEqual(before);
  expect(readdirSync(join(layout.directory, '.staging'))).toEqual([]);
  expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({ status: 'verified' });
  const enough: StoreFiles = { ...nodeFiles, freeBytes: async () => 2 * bytes };
  await save({ layout, claim, step: 2, files: enough, tensors: [] });
});

test('a checkpoint that ends the run may take the room that others leave, and says in sizes what it lacks', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const tensors: TensorSpec[] = [{ name: 'a', dtype: 'U8', shape: [1_000_000] }];
  const begin = (free: number, isLast: boolean) =>
    beginCommit({ ...nodeFiles, freeBytes: async () => free }, { layout, claim, tensors, isLast });
  expect(await rejection(begin(1_900_000, false))).toMatchObject({
    code: 'no-space',
    message: expect.stringContaining('Saving needs 2.0 MB (twice the size of a checkpoint), and 1.9 MB are free.'),
  });
  await (await begin(1_900_000, true)).abort();
  expect(await rejection(begin(1_000_000, true))).toMatchObject({
    code: 'no-space',
    message: expect.stringContaining('(the size of a checkpoint)'),
  });
});

test('abort waits for the call in progress and leaves nothing', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const commit = await beginCommit(nodeFiles, {
    layout,
    claim,
    tensors: [{ name: 'a', dtype: 'U8', shape: [30_000_000] }],
  });
  const appending = commit.append(new Uint8Array(20_000_000));
  await commit.abort();
  await appending;
  expect(readdirSync(join(layout.directory, '.staging'))).toEqual([]);
});

test('two saves of the same values have the same digest of tensors, in any order', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const bytes = patterned(1040, 3);
  const first = await save({ layout, claim, step: 1, bytes });
  const turned = Buffer.concat([bytes.subarray(1024), bytes.subarray(0, 1024)]);
  const second = await save({ layout, claim, step: 9, tensors: [...SMALL].reverse(), bytes: turned });
  const other = await save({ layout, claim, step: 1, bytes: patterned(1040, 4) });
  expect(second.manifest.tensorsDigest).toBe(first.manifest.tensorsDigest);
  expect(other.manifest.tensorsDigest).not.toBe(first.manifest.tensorsDigest);
});

test('a metric that is no number is left out instead of spoiling the manifest', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const { path } = await save({ layout, claim, step: 1, facts: { metrics: { loss: Number.NaN, accuracy: 0.5 } } });
  const verdict = await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 0 });
  expect(verdict).toMatchObject({ status: 'verified', manifest: { metrics: { accuracy: 0.5 } } });
  const bad = save({ layout, claim, step: 1.5 });
  expect(await rejection(bad)).toMatchObject({ code: 'internal' });
});

test('staging of a dead process is removed, of a living or unknown one is not', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  await save({ layout, claim, step: 1 });
  const staging = join(layout.directory, '.staging');
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0];
  const machine = readFileSync('/etc/machine-id', 'utf8').trim();
  const dead = `commit_8_4194303_1_${boot}_${namespace}_${machine}`;
  const rebooted = `commit_9_1_1_other-boot_1_${machine}`;
  const elsewhere = 'commit_10_1_1_other-boot_1_other-machine';
  for (const name of [dead, rebooted, elsewhere]) await nodeFiles.makeDirectory(join(staging, name));
  const living = await beginCommit(nodeFiles, { layout, claim, tensors: [] });
  await save({ layout, claim, step: 2 });
  const left = readdirSync(staging);
  expect(left).toHaveLength(2);
  expect(left).toContain(elsewhere);
  expect(living.sequence).toBe(11);
  await living.abort();
  expect(statSync(staging).isDirectory()).toBe(true);
});
