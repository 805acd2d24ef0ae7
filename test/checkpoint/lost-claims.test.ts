import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { releaseClaim } from '../../src/checkpoint/claim.ts';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import type { StoreLayout } from '../../src/checkpoint/layout.ts';
import { newSessionFile, writeSessionFile } from '../../src/checkpoint/session-file.ts';
import { claimed, SESSION, save, temporaryLayout } from './store.ts';

test('after the claims were deleted, numbers go on above those of the checkpoints', async () => {
  const layout = temporaryLayout();
  for (let n = 0; n < 3; n += 1) await releaseClaim(nodeFiles, layout.directory, await claimed(layout));
  const claim = await claimed(layout);
  await save({ layout, claim, step: 1 });
  rmSync(join(layout.directory, 'owners'), { recursive: true });
  expect(await claimed(layout)).toBe(claim + 1);
});

async function record(layout: StoreLayout, claim: number): Promise<void> {
  const identity = { cwd: '/', trainer: '/train.mjs', args: [], name: null };
  const { backups } = layout;
  const file = newSessionFile({ id: SESSION, identity, token: 't', sourceDigest: null, backups, now: new Date() });
  await writeSessionFile(nodeFiles, layout.directory, { ...file, claim });
}

test('the claims are lost before anything was committed: a worker that was fenced stays so, for the record knows its number', async () => {
  const layout = temporaryLayout();
  let old = 0;
  for (let n = 0; n < 3; n += 1) {
    old = await claimed(layout);
    await releaseClaim(nodeFiles, layout.directory, old);
  }
  await record(layout, old);
  rmSync(join(layout.directory, 'owners'), { recursive: true });
  for (let n = 1; n <= 3; n += 1) {
    const claim = await claimed(layout);
    expect(claim).toBe(old + n);
    await expect(save({ layout, claim: old, step: n })).rejects.toMatchObject({ code: 'fenced' });
    await releaseClaim(nodeFiles, layout.directory, claim);
  }
});

test('a damaged record hinders no claim: the checkpoints still speak', async () => {
  const layout = temporaryLayout();
  await record(layout, 1);
  const claim = await claimed(layout);
  await save({ layout, claim, step: 1 });
  writeFileSync(join(layout.directory, 'session.json'), 'torn');
  rmSync(join(layout.directory, 'owners'), { recursive: true });
  expect(await claimed(layout)).toBe(claim + 1);
});
