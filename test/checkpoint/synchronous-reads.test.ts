/** The synchronous way to read says the same as the usual one, errors included. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { readSmallFile } from '../../src/checkpoint/small-file.ts';
import { synchronousReads } from '../../src/checkpoint/synchronous-reads.ts';
import { errnoOf } from '../../src/errors.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

async function told(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return errnoOf(error);
  }
}

test('files, links, directories and what is missing are told alike', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'file'), 'content');
  mkdirSync(join(directory, 'folder'));
  symlinkSync('file', join(directory, 'link'));
  symlinkSync('circle', join(directory, 'circle'));
  for (const name of ['', 'file', 'folder', 'link', 'circle', 'missing', 'file/below']) {
    const path = join(directory, name);
    const answers = async (files: StoreFiles): Promise<unknown[]> => [
      await told(async () => (await readSmallFile(files, path, 100)).toString()),
      await told(() => readSmallFile(files, path, 3)),
      await told(() => files.facts(path)),
      await told(async () => (await files.list(path)).sort()),
    ];
    expect(await answers(synchronousReads), name).toEqual(await answers(nodeFiles));
  }
});

test('what is open for reading takes no writes', async () => {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, 'content');
  const file = await synchronousReads.open(path, 'read');
  for (const write of [() => file.truncate(0), () => file.sync(), () => file.write(Buffer.from('x'), 0, 1, 0)]) {
    await expect(write()).rejects.toThrow('open for reading only');
  }
  await file.close();
});
