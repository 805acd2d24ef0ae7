import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { InstalledBackend } from '../../../src/installed-backend.ts';
import { loadNative, mendUtil } from '../../../src/worker/tfjs/native.ts';
import { temporaryDirectory } from '../../rig/temporary-directory.ts';

test('what Node 23 took out of util is put back, and what warns of itself is replaced', () => {
  const util: Record<string, unknown> = {};
  mendUtil(util);
  const lost = util as Record<'isNullOrUndefined' | 'isArray', (value: unknown) => boolean>;
  expect([null, undefined, 0, ''].map(lost.isNullOrUndefined)).toEqual([true, true, false, false]);
  expect(lost.isArray([])).toBe(true);
  const own = () => true;
  const whole = { isNullOrUndefined: own, isArray: own };
  mendUtil(whole);
  expect(whole).toEqual({ isNullOrUndefined: own, isArray: Array.isArray });
});

const RECORD: InstalledBackend['record'] = {
  format: 1,
  flavour: 'cpu',
  tfjs: '4.22.0',
  tensorflow: '2.21.0',
  node: '20',
  platform: 'linux-x64',
  installedAt: '',
  entry: 'e.js',
  binding: 'b.node',
  libraryFolders: [],
  wheels: [],
  packages: [],
  files: {},
  bytes: 1,
};

test('another tfjs-core than it was made for is no backend, and both versions are named', async () => {
  expect(await loadNative({ folder: '/nowhere', record: { ...RECORD, tfjs: '4.10.0' } })).toBe(
    'it is made for tfjs-core 4.10.0, and the trainer has 4.22.0',
  );
});

test('a library that was cut short is not loaded: it would end the trainer with SIGBUS', async () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'lib.so'), 'half');
  const installed = (bytes: number): InstalledBackend => ({
    folder,
    record: { ...RECORD, sizes: { 'lib.so': bytes } },
  });
  expect(await loadNative(installed(8))).toBe(`lib.so in ${folder} is not whole`);
  // What is whole is loaded; there is no entry here.
  await expect(loadNative(installed(4))).rejects.toThrow('e.js');
});
