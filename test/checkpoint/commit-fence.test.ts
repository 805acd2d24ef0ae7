/** A commit under a claim that somebody took meanwhile. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { beginCommit } from '../../src/checkpoint/commit.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { claimed, facts, patterned, rejection, SMALL, save, temporaryLayout } from './store.ts';

test('fenced by a higher claim: staging waits, and a higher claim completes it', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const commit = await beginCommit(nodeFiles, { layout, claim, tensors: SMALL });
  await commit.append(patterned(1040, 1));
  const higher = await claimed(layout);
  expect(await rejection(commit.finish({ state: '{}', facts: facts(1) }))).toMatchObject({ code: 'fenced' });
  expect(await rejection(commit.finish({ state: '{}', facts: facts(1), claim }))).toMatchObject({ code: 'fenced' });
  expect(readdirSync(join(layout.directory, '.staging'))).toHaveLength(1);
  expect(await rejection(beginCommit(nodeFiles, { layout, claim, tensors: SMALL }))).toMatchObject({ code: 'fenced' });
  const committed = await commit.finish({ state: '{}', facts: facts(1), claim: higher });
  expect(committed.manifest.claim).toBe(higher);
});

test('claims that somebody removed: saving goes on, until someone claims the session anew', async () => {
  const layout = temporaryLayout();
  await claimed(layout);
  const claim = await claimed(layout);
  rmSync(join(layout.directory, 'owners'), { recursive: true });
  expect((await save({ layout, claim, step: 1 })).manifest.claim).toBe(claim);
  const anew = await claimed(layout);
  // The number goes on from what the checkpoints say.
  expect(anew).toBeGreaterThan(claim);
  expect(await rejection(save({ layout, claim, step: 2 }))).toMatchObject({ code: 'fenced' });
  expect((await save({ layout, claim: anew, step: 3 })).manifest.claim).toBe(anew);
});

test('a claim made between the first look and the rename still fences', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  let taking: Promise<number> | null = null;
  const files: StoreFiles = {
    ...nodeFiles,
    async syncDirectory(path) {
      if (path.includes('.staging/commit_')) {
        taking ??= claimed(layout);
        await taking;
      }
      await nodeFiles.syncDirectory(path);
    },
  };
  expect(await rejection(save({ layout, claim, step: 1, files }))).toMatchObject({ code: 'fenced' });
  expect(readdirSync(layout.directory).filter((name) => name.startsWith('checkpoint_'))).toEqual([]);
});
