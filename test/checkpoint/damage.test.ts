import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseCheckpoint } from '../../src/checkpoint/choose.ts';
import { CHUNK_BYTES } from '../../src/checkpoint/digest.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { encodeManifest, readManifest } from '../../src/checkpoint/manifest.ts';
import { openCheckpoint } from '../../src/checkpoint/open.ts';
import { listQuarantine } from '../../src/checkpoint/quarantine.ts';
import type { TensorSpec, VerificationLevel } from '../../src/checkpoint/types.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import { CASES, FILE, flip, TENSORS } from './damage-cases.ts';
import { systemError, watchedFiles } from './faulty-files.ts';
import { claimed, rejection, SESSION, save, temporaryLayout } from './store.ts';

test.each(CASES)(
  '$name is found from level $level on, named, quarantined, and never loaded',
  async ({ make, level, damage }) => {
    const layout = temporaryLayout();
    const claim = await claimed(layout);
    const good = await save({ layout, claim, step: 1 });
    const committed = await save({ layout, claim, step: 2, tensors: TENSORS });
    make(committed);
    const verify = (at: VerificationLevel) =>
      verifyCheckpoint(nodeFiles, committed.path, { session: SESSION, level: at });
    for (const one of [0, 1, 2] as const) {
      const verdict = await verify(one);
      if (one < level) expect(verdict.status).toBe('verified');
      else
        expect(verdict).toMatchObject({
          status: 'damaged',
          damages: expect.arrayContaining([expect.objectContaining(damage)]),
        });
    }
    const loading = (async () => {
      const opened = await openCheckpoint(nodeFiles, committed.path, SESSION);
      try {
        await opened.state();
        for await (const { bytes } of opened.tensors()) expect(bytes).toBeDefined();
      } finally {
        await opened.close();
      }
    })();
    // Only the second digest of values, those of the chunks, is not looked at when loading: the tensors' are.
    expect(await rejection(loading)).toMatchObject({ code: 'checkpoint-damaged' });

    const looked = await chooseCheckpoint(nodeFiles, { layout, setAside: new Set(), quarantine: false });
    expect(looked.chosen?.path).toBe(good.path);
    expect(readdirSync(layout.directory)).toContain(basename(committed.path));
    const choice = await chooseCheckpoint(nodeFiles, { layout, setAside: new Set(), quarantine: true });
    expect(choice.chosen?.path).toBe(good.path);
    expect(choice.candidates.map(({ verdict }) => verdict)).toEqual(['damaged', 'chosen']);
    expect(choice.candidates[0]?.quarantinedTo).toContain('.quarantine');
    expect(readdirSync(layout.directory)).not.toContain(basename(committed.path));
    const [held] = await listQuarantine(nodeFiles, layout);
    expect(held).toMatchObject({ path: choice.candidates[0]?.quarantinedTo });
    expect(choice.candidates[0]?.reason).toContain(held?.reason);
  },
);

test('every single byte of a manifest is guarded', async () => {
  const layout = temporaryLayout();
  const { path } = await save({ layout, claim: await claimed(layout), step: 1 });
  const bytes = readFileSync(join(path, 'manifest.json'));
  expect(readManifest(bytes).status).toBe('ok');
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const broken = Buffer.from(bytes);
      broken.writeUInt8(broken.readUInt8(at) ^ (1 << bit), at);
      expect([at, bit, readManifest(broken).status]).toEqual([at, bit, 'damaged']);
    }
  }
});

test.each(['F32', 'C64', 'F64', 'F16', 'BF16'] as const)(
  'a value of %s that is not finite is found, wherever it lies',
  async (dtype) => {
    const layout = temporaryLayout();
    const claim = await claimed(layout);
    const size = { F16: 2, BF16: 2, F32: 4, C64: 8, F64: 8 }[dtype];
    const infinity = {
      F16: [0, 0x7c],
      BF16: [0x80, 0x7f],
      F32: [0, 0, 0x80, 0xff],
      // The imaginary part.
      C64: [0, 0, 0, 0, 0, 0, 0x80, 0x7f],
      F64: [0, 0, 0, 0, 0, 0, 0xf0, 0x7f],
    }[dtype];
    // One odd byte before it: no element is aligned, and one lies across the border of the first chunk.
    const elements = (CHUNK_BYTES + 1024) / size;
    const tensors: TensorSpec[] = [
      { name: 'odd', dtype: 'U8', shape: [1] },
      { name: 'values', dtype, shape: [elements] },
    ];
    for (const element of [0, Math.floor((CHUNK_BYTES - 300) / size), elements - 1]) {
      const bytes = new Uint8Array(1 + elements * size);
      bytes.set(infinity, 1 + element * size);
      const { path } = await save({ layout, claim, step: 1, tensors, bytes });
      expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 1 })).toMatchObject({
        status: 'verified',
      });
      expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({
        status: 'damaged',
        damages: [{ file: FILE, tensors: ['values'], reason: 'tensor "values" holds values that are NaN or infinite' }],
      });
      const allowed = tensors.map((tensor) => ({ ...tensor, mayBeNonFinite: true }));
      const other = await save({ layout, claim, step: 1, tensors: allowed, bytes });
      expect(await verifyCheckpoint(nodeFiles, other.path, { session: SESSION, level: 2 })).toMatchObject({
        status: 'verified',
      });
    }
  },
);

test('a file that the manifest does not name takes nothing from the checkpoint', async () => {
  const layout = temporaryLayout();
  const { path } = await save({ layout, claim: await claimed(layout), step: 1 });
  writeFileSync(join(path, '.DS_Store'), 'left by a desktop');
  const choice = await chooseCheckpoint(nodeFiles, { layout, setAside: new Set(), quarantine: true });
  expect(choice.chosen?.path).toBe(path);
  expect(await rejection(openCheckpoint(nodeFiles, path, 'another session'))).toMatchObject({
    code: 'checkpoint-damaged',
  });
  await (await openCheckpoint(nodeFiles, path, SESSION)).close();
});

test.each(['manifest.json', 'state.json', FILE])('a pipe in place of %s is found and holds nobody', async (name) => {
  const layout = temporaryLayout();
  const { path } = await save({ layout, claim: await claimed(layout), step: 1 });
  rmSync(join(path, name));
  execFileSync('mkfifo', [join(path, name)]);
  const choice = await chooseCheckpoint(nodeFiles, { layout, setAside: new Set(), quarantine: true });
  expect(choice).toMatchObject({ chosen: null, candidates: [{ verdict: 'damaged' }] });
  expect(choice.candidates[0]?.reason).toContain(`${name}: something else stands in place of the file`);
});

test('every element across the border of two chunks is looked at', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const tensors: TensorSpec[] = [
    { name: 'odd', dtype: 'U8', shape: [1] },
    { name: 'values', dtype: 'F64', shape: [CHUNK_BYTES / 8] },
  ];
  // 8 bytes length + header, then the odd byte: find the element that begins in chunk 0 and ends in chunk 1.
  const probe = await save({ layout, claim, step: 0, tensors });
  const start = (probe.manifest.files[FILE]?.bytes ?? 0) - CHUNK_BYTES;
  const element = Math.floor((CHUNK_BYTES - start) / 8);
  const bytes = new Uint8Array(1 + CHUNK_BYTES);
  bytes.set([0xf0, 0x7f], 1 + element * 8 + 6);
  const { path } = await save({ layout, claim, step: 1, tensors, bytes });
  expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({ status: 'damaged' });
});

test('a newer format is told apart, passed over and left where it is', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  await save({ layout, claim, step: 1 });
  const { path } = await save({ layout, claim, step: 2 });
  writeFileSync(join(path, 'manifest.json'), '{"format":"nkat-checkpoint","version":2,"all":"else"}');
  expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({
    status: 'newer-format',
    version: 2,
  });
  expect(await rejection(openCheckpoint(nodeFiles, path, SESSION))).toMatchObject({ code: 'format-newer' });
  const choice = await chooseCheckpoint(nodeFiles, { layout, setAside: new Set(), quarantine: true });
  expect(choice.candidates.map(({ verdict }) => verdict)).toEqual(['newer-format', 'chosen']);
  expect(readdirSync(layout.directory)).toContain(basename(path));
});

test('unknown fields of this version are kept', async () => {
  const layout = temporaryLayout();
  const { path, manifest } = await save({ layout, claim: await claimed(layout), step: 1 });
  const { digest: _, ...rest } = manifest;
  writeFileSync(join(path, 'manifest.json'), encodeManifest(Object.assign(rest, { later: { a: 1 } })).text);
  const verdict = await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 });
  expect(verdict).toMatchObject({ status: 'verified', manifest: { later: { a: 1 } } });
});

test.each(['EIO', 'EMFILE', 'EACCES'])(
  '%s at any look means unreadable, never damaged, and moves nothing',
  async (errno) => {
    const layout = temporaryLayout();
    const claim = await claimed(layout);
    const { path } = await save({ layout, claim, step: 1 });
    const counting = watchedFiles(nodeFiles, () => {});
    await verifyCheckpoint(counting, path, { session: SESSION, level: 2 });
    for (let which = 0; which < counting.log.length; which++) {
      const files = watchedFiles(nodeFiles, (_, number) => {
        if (number === which) throw systemError(errno);
      });
      expect(await verifyCheckpoint(files, path, { session: SESSION, level: 2 })).toMatchObject({
        status: 'unreadable',
        errno,
      });
    }
    const files: StoreFiles = watchedFiles(nodeFiles, ({ name, path: p }) => {
      if (name === 'read' && p.endsWith(FILE)) throw systemError(errno);
    });
    const choice = await chooseCheckpoint(files, { layout, setAside: new Set(), quarantine: true });
    expect(choice).toMatchObject({ chosen: null, candidates: [{ verdict: 'unreadable', quarantinedTo: null }] });
    expect(readdirSync(layout.directory)).toContain(basename(path));
  },
);

test('a checkpoint that vanished, also while it is looked at, is gone and not damaged', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const vanishing = await save({ layout, claim, step: 1 });
  const counting = watchedFiles(nodeFiles, () => {});
  await verifyCheckpoint(counting, vanishing.path, { session: SESSION, level: 2 });
  for (let which = 0; which < counting.log.length; which++) {
    const { path } = await save({ layout, claim, step: 1 });
    const files = watchedFiles(nodeFiles, (_, number) => {
      if (number === which) rmSync(path, { recursive: true });
    });
    const { status } = await verifyCheckpoint(files, path, { session: SESSION, level: 2 });
    // A file that is open stays readable; the verdict on what is gone does not matter then, but it is never damage.
    expect(status === 'gone' || (status === 'verified' && which > 0)).toBe(true);
  }
  rmSync(vanishing.path, { recursive: true });
  expect(await rejection(openCheckpoint(nodeFiles, vanishing.path, SESSION))).toMatchObject({
    code: 'checkpoint-gone',
  });
});

test('a checkpoint opened before it was moved is still read whole, and damage meanwhile is caught', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const { path } = await save({ layout, claim, step: 1 });
  copyFileSync(join(path, FILE), join(layout.directory, 'copy'));
  const opened = await openCheckpoint(nodeFiles, path, SESSION);
  renameSync(path, join(layout.directory, 'moved'));
  for await (const { bytes } of opened.tensors()) expect(bytes.length).toBeGreaterThan(0);
  flip(join(layout.directory, 'moved', FILE), 1000);
  const again = (async () => {
    for await (const { bytes } of opened.tensors()) expect(bytes.length).toBeGreaterThan(0);
  })();
  expect(await rejection(again)).toMatchObject({ code: 'checkpoint-damaged' });
  await opened.close();
});
