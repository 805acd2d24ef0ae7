/** More than 2 GiB in one tensor and more than 4 GiB in one checkpoint; takes 5 GiB of disk while it runs. */
import { expect, test } from 'vitest';
import { beginCommit } from '../../src/checkpoint/commit.ts';
import { CHUNK_BYTES, digestOf } from '../../src/checkpoint/digest.ts';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { openCheckpoint } from '../../src/checkpoint/open.ts';
import type { TensorSpec } from '../../src/checkpoint/types.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import { claimed, facts, patterned, SESSION, temporaryLayout } from './store.ts';

const GIB = 2 ** 30;
/** Within this the store may grow while gigabytes pass through it. */
const CONSTANT_BYTES = 300 * 2 ** 20;

test('a tensor of more than 2 GiB in a checkpoint of more than 4 GiB, written and verified in constant memory', async () => {
  const layout = temporaryLayout();
  const block = patterned(CHUNK_BYTES, 1);
  const tensors: TensorSpec[] = [
    { name: 'large', dtype: 'U8', shape: [2 * GIB + CHUNK_BYTES] },
    { name: 'after', dtype: 'U8', shape: [2 * GIB] },
  ];
  const before = process.memoryUsage.rss();
  const commit = await beginCommit(nodeFiles, { layout, claim: await claimed(layout), tensors });
  let highest = 0;
  for (let at = 0; at < 4 * GIB + CHUNK_BYTES; at += CHUNK_BYTES) {
    await commit.append(block);
    highest = Math.max(highest, process.memoryUsage.rss());
  }
  const { path, bytes, manifest } = await commit.finish({ state: '{}', facts: facts(1) });
  expect(bytes).toBeGreaterThan(4 * GIB);
  expect(manifest.tensors[1]?.offset).toBe(2 * GIB + CHUNK_BYTES);
  expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 1 })).toMatchObject({ status: 'verified' });
  expect(Math.max(highest, process.memoryUsage.rss()) - before).toBeLessThan(CONSTANT_BYTES);
  const opened = await openCheckpoint(nodeFiles, path, SESSION);
  for await (const tensor of opened.tensors()) {
    expect(tensor.bytes.length).toBe(2 * GIB + CHUNK_BYTES);
    const last = tensor.bytes.subarray(2 * GIB);
    expect(digestOf(last)).toBe(digestOf(block));
    break;
  }
  await opened.close();
}, 300_000);
