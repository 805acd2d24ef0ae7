import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attemptsMade } from '../../src/supervisor/attempts-made.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

test('the newest of what the record, the index and the output know; other files say nothing', async () => {
  const folder = temporaryDirectory();
  expect(await attemptsMade(2, 1, folder)).toBe(2);
  expect(await attemptsMade(0, 3, folder)).toBe(3);
  for (const name of [
    'attempt-4.stdout',
    'attempt-12.pid',
    'attempt-x.pid',
    'attempt-99',
    'session.log',
    'my-attempt-98.exit',
  ]) {
    writeFileSync(join(folder, name), '');
  }
  mkdirSync(join(folder, 'snapshots'));
  expect(await attemptsMade(2, 1, folder)).toBe(12);
  expect(await attemptsMade(13, 1, folder)).toBe(13);
});

test('without any output it is what is on record', async () => {
  expect(await attemptsMade(0, 0, join(temporaryDirectory(), 'none'))).toBe(0);
});
