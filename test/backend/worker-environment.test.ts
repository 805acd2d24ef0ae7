import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PACKAGES, TENSORFLOW, WHEEL_TAGS, wheelsFor } from '../../src/backend/pins.ts';
import { environmentOfWorker, workerEnvironment } from '../../src/backend/worker-environment.ts';
import { backendsFolder, chosenBackend, type Flavour, installedBackends } from '../../src/installed-backend.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

function put(directory: string, name: string, flavour: Flavour, installedAt: string, changes: object = {}): string {
  const folder = join(backendsFolder({ directory }), name);
  mkdirSync(folder, { recursive: true });
  const download = { name: 'x', version: '1', sha256: '', bytes: 1 };
  const record = {
    format: 1,
    flavour,
    tfjs: '4.22.0',
    tensorflow: '2.21.0',
    node: '20.20.2',
    platform: 'linux-x64',
    installedAt,
    entry: 'entry.js',
    binding: 'binding.node',
    libraryFolders: flavour === 'cpu' ? [] : ['nvidia/a/lib', 'nvidia/b/lib'],
    wheels: [download],
    packages: [download],
    files: {},
    bytes: 1,
    ...changes,
  };
  writeFileSync(join(folder, 'backend.json'), JSON.stringify(record));
  return folder;
}

test('the one for the GPU comes first, then the newest; what is being built, damaged or of a later format is none', () => {
  const directory = temporaryDirectory();
  expect(installedBackends({ directory })).toEqual([]);
  const old = put(directory, 'cpu-a', 'cpu', '2026-01-01');
  const newer = put(directory, 'cpu-b', 'cpu', '2026-02-01');
  const gpu = put(directory, 'cuda12-a', 'cuda12', '2025-01-01');
  put(directory, '.building-cuda12', 'cuda12', '2027-01-01');
  put(directory, 'later', 'cuda12', '2027-01-01', { format: 2 });
  writeFileSync(join(put(directory, 'torn', 'cuda12', ''), 'backend.json'), '{"format":');
  expect(installedBackends({ directory }).map(({ folder }) => folder)).toEqual([gpu, newer, old]);
  const chosen = (named: string | undefined) =>
    chosenBackend({ NKAT_HOME: directory, ...(named === undefined ? {} : { NKAT_BACKEND: named }) })?.folder;
  expect(chosen(undefined)).toBe(gpu);
  expect(chosen('')).toBe(gpu);
  expect(chosen(old)).toBe(old);
  expect(chosen('off')).toBeUndefined();
});

test("NVIDIA's folders stand before what the loader's path had, and memory grows as it is needed", () => {
  const directory = temporaryDirectory();
  const folder = put(directory, 'cuda12-a', 'cuda12', '');
  const [own] = [`${folder}/nvidia/a/lib:${folder}/nvidia/b/lib`];
  const environment = { NKAT_HOME: directory };
  expect(environmentOfWorker(environment, false)).toEqual({ TF_FORCE_GPU_ALLOW_GROWTH: 'true', LD_LIBRARY_PATH: own });
  expect(environmentOfWorker({ ...environment, LD_LIBRARY_PATH: '/mine' }, false).LD_LIBRARY_PATH).toBe(`${own}:/mine`);
  expect(environmentOfWorker({ ...environment, TF_FORCE_GPU_ALLOW_GROWTH: 'false' }, false)).toEqual({
    LD_LIBRARY_PATH: own,
  });
});

test('the switches of determinism are set where they are asked for, also for a tfjs-node of the trainer', () => {
  expect(workerEnvironment(null, {}, true)).toEqual({
    TF_DETERMINISTIC_OPS: '1',
    TF_CUDNN_DETERMINISTIC: '1',
    TF_ENABLE_ONEDNN_OPTS: '0',
  });
  expect(workerEnvironment(null, {}, false)).toEqual({});
});

test('every wheel and package of the tested version is pinned; of another version the hash is recorded only', () => {
  for (const flavour of ['cpu', 'cuda12'] as const) {
    for (const { sha256, version } of wheelsFor(flavour, TENSORFLOW)) {
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(version).toMatch(/^\d+(\.\d+)+$/);
    }
  }
  for (const { integrity } of PACKAGES) expect(integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
  expect(wheelsFor('cpu', '2.20.0')).toEqual([
    { name: 'tensorflow-cpu', version: '2.20.0', sha256: null, bytes: null },
  ]);
  const [own, ...nvidia] = wheelsFor('cuda12', '2.20.0');
  expect(own).toEqual({ name: 'tensorflow', version: '2.20.0', sha256: null, bytes: null });
  expect(nvidia).toEqual(wheelsFor('cuda12', TENSORFLOW).slice(1));
  expect(nvidia.map(({ name }) => name)).toEqual(expect.arrayContaining(['nvidia-cudnn-cu12', 'nvidia-cublas-cu12']));
  expect(WHEEL_TAGS).toContain('--platform=manylinux_2_27_x86_64');
});
