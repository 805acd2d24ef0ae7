import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { releaseClaim } from '../../src/checkpoint/claim.ts';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { claimed, save, temporaryLayout } from './store.ts';

test('after the claims were deleted, numbers go on above those of the checkpoints', async () => {
  const layout = temporaryLayout();
  for (let n = 0; n < 3; n += 1) await releaseClaim(nodeFiles, layout.directory, await claimed(layout));
  const claim = await claimed(layout);
  await save({ layout, claim, step: 1 });
  rmSync(join(layout.directory, 'owners'), { recursive: true });
  expect(await claimed(layout)).toBe(claim + 1);
});
