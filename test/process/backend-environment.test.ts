/** What a worker finds in its environment of the native backend, which must be there before its first line runs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { testInWorld as test } from './rig.ts';

const NAMES = ['LD_LIBRARY_PATH', 'TF_FORCE_GPU_ALLOW_GROWTH', 'TF_DETERMINISTIC_OPS', 'TF_ENABLE_ONEDNN_OPTS'];
const PRINT = `console.log(JSON.stringify(${JSON.stringify(NAMES)}.map((name) => process.env[name] ?? null)));\n`;

test.concurrent("with --deterministic and a backend for NVIDIA's cards: the switches, and CUDA's folders on the loader's path", async ({
  world,
}) => {
  const trainer = join(world.directory, 'print.mjs');
  writeFileSync(trainer, PRINT);
  const folder = join(world.home, 'backends', 'cuda12-it');
  mkdirSync(folder, { recursive: true });
  const download = { name: 'x', version: '1', sha256: '', bytes: 1 };
  const record = {
    format: 1,
    flavour: 'cuda12',
    tfjs: '4.22.0',
    tensorflow: '2.21.0',
    node: process.versions.node,
    platform: 'linux-x64',
    installedAt: '2026-11-23',
    entry: 'e.js',
    binding: 'b.node',
    libraryFolders: ['nvidia/a/lib'],
    wheels: [download],
    packages: [download],
    files: {},
    bytes: 1,
  };
  writeFileSync(join(folder, 'backend.json'), JSON.stringify(record));
  const run = world.start(['run', '--json', '--deterministic', trainer], undefined, { LD_LIBRARY_PATH: '/mine' });
  await run.ended(0);
  expect(run.outputLines()).toEqual([JSON.stringify([`${join(folder, 'nvidia/a/lib')}:/mine`, 'true', '1', '0'])]);
});

test.concurrent('without either nothing is set', async ({ world }) => {
  const trainer = join(world.directory, 'print.mjs');
  writeFileSync(trainer, PRINT);
  const plain = Object.fromEntries(NAMES.map((name) => [name, undefined]));
  const run = world.start(['run', '--json', trainer], undefined, plain);
  await run.ended(0);
  expect(run.outputLines()).toEqual([JSON.stringify(NAMES.map(() => null))]);
});
