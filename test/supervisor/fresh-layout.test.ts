import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { freshId, freshLayout } from '../../src/supervisor/fresh-layout.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

test('a new session never gets the directory of another, even where its second and its letters come again', async () => {
  const root = temporaryDirectory();
  const [taken, alsoTaken, free] = ['20260102_030405_aaaa', '20260102_030405_bbbb', '20260102_030405_cccc'];
  mkdirSync(join(root, taken));
  mkdirSync(join(root, alsoTaken));
  const ids = [taken, alsoTaken, free, '20260102_030405_dddd'];
  const layout = await freshLayout(nodeFiles, { root, backups: join(root, 'backups') }, () => ids.shift() ?? '');
  expect(layout).toMatchObject({ session: free, directory: join(root, free) });
});

test('a root that is not there yet has room for any', async () => {
  const root = join(temporaryDirectory(), 'missing');
  const layout = await freshLayout(nodeFiles, { root, backups: root }, freshId);
  expect(layout.session).toMatch(/^\d{8}_\d{6}_[0-9a-z]{4}$/);
});
