import { expect, test } from 'vitest';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import type { TensorSpec } from '../../src/checkpoint/types.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import { claimed, SESSION, save, temporaryLayout } from './store.ts';

test('a file system that refuses direct writes is written through the page cache', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const refusing = (at: 'write' | 'read'): StoreFiles => ({
    ...nodeFiles,
    async open(path, mode, direct) {
      const file = await nodeFiles.open(path, mode);
      const refuse = (): Promise<never> => Promise.reject(Object.assign(new Error('EINVAL'), { code: 'EINVAL' }));
      if (!direct) return file;
      return at === 'write' ? { ...file, direct: true, write: refuse } : { ...file, direct: true, read: refuse };
    },
  });
  const tensors: TensorSpec[] = [{ name: 'a', dtype: 'F32', shape: [7_000_001] }];
  const { path } = await save({ layout, claim, step: 1, tensors, files: refusing('write') });
  expect(await verifyCheckpoint(refusing('read'), path, { session: SESSION, level: 2 })).toMatchObject({
    status: 'verified',
  });
});

test('short writes are continued', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  let calls = 0;
  const files: StoreFiles = {
    ...nodeFiles,
    async open(path, mode, direct) {
      const file = await nodeFiles.open(path, mode, direct);
      const part = (length: number): number => (calls++ % 2 === 0 ? Math.ceil(length / 3) : length);
      return {
        ...file,
        // What a signal or a quota leaves of a direct write need not end at a block.
        write: async (source, offset, length, position) =>
          file.direct
            ? Math.min(part(length), await file.write(source, offset, length, position))
            : file.write(source, offset, part(length), position),
      };
    },
  };
  const tensors: TensorSpec[] = [{ name: 'a', dtype: 'F32', shape: [7_000_001] }];
  const { path } = await save({ layout, claim, step: 1, tensors, files });
  expect(calls).toBeGreaterThan(5);
  expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({ status: 'verified' });
});
