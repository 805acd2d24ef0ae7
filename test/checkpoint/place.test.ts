import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chunksOf, sharedChunkMemory } from '../../src/checkpoint/bounce-buffers.ts';
import { beginCommit } from '../../src/checkpoint/commit.ts';
import type { Commit } from '../../src/checkpoint/commit-steps.ts';
import { CHUNK_BYTES } from '../../src/checkpoint/digest.ts';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import type { TensorSpec } from '../../src/checkpoint/types.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import { systemError, watchedFiles } from './faulty-files.ts';
import { claimed, facts, patterned, rejection, SESSION, save, temporaryLayout } from './store.ts';

const TENSORS: readonly TensorSpec[] = [
  { name: 'large', dtype: 'F32', shape: [5 * 1024 * 1024 + 7] },
  { name: 'small', dtype: 'F32', shape: [3] },
];
const BYTES = (5 * 1024 * 1024 + 10) * 4;

/** Hands the bytes over as the training loop does: each chunk is filled again as soon as it is given back. */
async function placeAll(commit: Commit, bytes: Uint8Array, chunks: readonly Uint8Array[]): Promise<number> {
  const file = new Uint8Array(commit.headerBytes + bytes.length);
  file.set(bytes, commit.headerBytes);
  const given = chunks.map(() => Promise.resolve());
  let back = 0;
  for (let at = 0, next = 0; at < file.length; at += CHUNK_BYTES, next = (next + 1) % chunks.length) {
    await given[next];
    const chunk = chunks[next] as Uint8Array;
    const part = file.subarray(at, at + CHUNK_BYTES);
    chunk.fill(0xff);
    chunk.set(part);
    let free: () => void = () => undefined;
    given[next] = new Promise((resolve) => {
      free = resolve;
    });
    await commit.place(chunk, part.length, () => {
      back++;
      // What is written any later than this is garbage.
      chunk.fill(0xee);
      free();
    });
  }
  await Promise.all(given);
  return back;
}

test('chunks that are written from where they lie make the same checkpoint as bytes that are copied', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const bytes = patterned(BYTES, 1);
  const copied = await save({ layout, claim, step: 1, tensors: TENSORS, bytes });
  const commit = await beginCommit(nodeFiles, { layout, claim, tensors: TENSORS });
  const back = await placeAll(commit, bytes, chunksOf(sharedChunkMemory(2)));
  const placed = await commit.finish({ state: '{"step":1}', facts: facts(1) });
  expect(back).toBe(3);
  expect(placed.manifest.tensorsDigest).toBe(copied.manifest.tensorsDigest);
  expect(placed.manifest.files).toEqual(copied.manifest.files);
  const file = (path: string): Buffer => readFileSync(join(path, 'tensors.safetensors'));
  expect(file(placed.path).equals(file(copied.path))).toBe(true);
  expect(await verifyCheckpoint(nodeFiles, placed.path, { session: SESSION, level: 2 })).toMatchObject({
    status: 'verified',
  });
});

test('a write that fails gives its memory back and the commit up', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const files = watchedFiles(nodeFiles, ({ name, path }) => {
    if (name === 'write' && path.endsWith('tensors.safetensors')) throw systemError('EIO');
  });
  const commit = await beginCommit(files, { layout, claim, tensors: TENSORS });
  const chunk = new Uint8Array(sharedChunkMemory(1));
  await new Promise<void>((resolve) => {
    void commit.place(chunk, CHUNK_BYTES, resolve);
  });
  expect(await rejection(commit.place(chunk, CHUNK_BYTES, () => undefined))).toMatchObject({ code: 'io' });
  expect(await nodeFiles.list(join(layout.directory, '.staging'))).toEqual([]);
});

test('more than the tensors have is refused, and so is an end before all has come', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const commit = await beginCommit(nodeFiles, { layout, claim, tensors: [{ name: 'a', dtype: 'U8', shape: [10] }] });
  const chunk = new Uint8Array(sharedChunkMemory(1));
  expect(await rejection(commit.place(chunk, commit.headerBytes + 11, () => undefined))).toMatchObject({
    code: 'internal',
  });
  expect(await rejection(commit.finish({ state: '{}', facts: facts(1) }))).toMatchObject({ code: 'internal' });
  await commit.abort();
});
