import { expect, test } from 'vitest';
import type { WorkingBackend } from '../../../src/backend/check.ts';
import {
  checkedWords,
  installedWords,
  listedWords,
  progressWords,
  removedWords,
  stageWords,
  unfinishedWords,
} from '../../../src/cli/render/backend-words.ts';
import type { Flavour, InstalledBackend } from '../../../src/installed-backend.ts';

const installed = (flavour: Flavour): InstalledBackend => ({
  folder: '/home/backends/it',
  record: {
    format: 1,
    flavour,
    tfjs: '4.22.0',
    tensorflow: '2.21.0',
    node: '20.20.2',
    platform: 'linux-x64',
    installedAt: '2026-11-23T18:38:35.000Z',
    entry: '',
    binding: '',
    libraryFolders: [],
    wheels: [],
    packages: [],
    files: {},
    bytes: 950_000_000,
  },
});
const works: WorkingBackend = {
  status: 'works',
  device: 'cpu',
  tensorflow: '2.21.0',
  loadMs: 800,
  stepMs: 20,
  whyNoGpu: 'failed call to cuInit',
};
const texts = (lines: readonly { readonly text: string }[]): string[] => lines.map(({ text }) => text);

test('each stage is one line, and the line that is rewritten has amounts', () => {
  const fetching = { stage: 'fetch', what: 'tensorflow-cpu 2.21.0', totalBytes: 273_829_956 } as const;
  expect(stageWords({ ...fetching, bytes: null }).text).toBe('Fetching tensorflow-cpu 2.21.0 (274 MB)');
  expect(progressWords({ ...fetching, bytes: 1e8 })).toBe('Fetching tensorflow-cpu 2.21.0: 100 MB of 274 MB ...');
  expect(progressWords({ stage: 'compile', what: 'the binding', bytes: null, totalBytes: null })).toBe(
    'Compiling the binding ...',
  );
});

test('a backend for a GPU that sees none says so and why; one for the CPU has nothing to say', () => {
  const [, warning] = checkedWords({ backend: installed('cuda12'), check: works });
  expect(warning?.text).toContain('sees no GPU and would train on the CPU: failed call to cuInit');
  expect(warning?.weight).toBe('always');
  expect(checkedWords({ backend: installed('cpu'), check: works })).toHaveLength(1);
  const report = { present: false, installed: installed('cuda12'), check: { ...works, device: 'gpu' as const } };
  expect(texts(installedWords(report, 75_000))).toEqual([
    'TensorFlow 2.21.0 (cuda12) with tfjs-node-gpu 4.22.0 is installed (1 min 15 s, 950 MB): a step of training on the GPU, in /home/backends/it',
    'Trainers that call useBackend() take it from now on; nkat-recover backend remove undoes that.',
  ]);
});

test('the list names the one in use, or how to get one; a broken one tells its reason', () => {
  expect(texts(listedWords([], []))[0]).toContain('nkat-recover backend install');
  expect(texts(listedWords([installed('cuda12'), installed('cpu')], []))).toEqual([
    'TensorFlow 2.21.0 (cuda12) with tfjs-node-gpu 4.22.0, 950 MB, since 2026-11-23, in use: /home/backends/it',
    'TensorFlow 2.21.0 (cpu) with tfjs-node-gpu 4.22.0, 950 MB, since 2026-11-23: /home/backends/it',
  ]);
  const check = { status: 'broken', reason: 'x is missing' } as const;
  const [broken, mend] = texts(checkedWords({ backend: installed('cpu'), check }));
  expect(broken).toContain('does not work: x is missing');
  // Without the flavour it would be the other one where a card is found.
  expect(mend).toContain('nkat-recover backend install --cpu');
  const [, unreadable] = texts(listedWords([], ['/home/backends/cpu-2.21.0-a']));
  expect(unreadable).toMatch(/^\/home\/backends\/cpu-2.21.0-a holds no backend .* nkat-recover backend remove/);
});

test('what was removed says what trains from now on', () => {
  expect(removedWords([], null).text).toBe('There was nothing to remove.');
  const removed = [{ folder: '', bytes: 1e9 }];
  expect(removedWords(removed, null).text).toBe('Removed 1 backend, 1.0 GB. Training runs on wasm from now on.');
  expect(removedWords(removed, installed('cpu')).text).toBe(
    'Removed 1 backend, 1.0 GB. Training runs on TensorFlow 2.21.0 (cpu) from now on.',
  );
});

test('what is unfinished is told with the line that goes on; one that is under way as such', () => {
  const left = { folder: '/b/.building-cpu', flavour: 'cpu', tensorflow: '2.21.0', bytes: 1_100_000_000 } as const;
  const told = (have: InstalledBackend[], pid: number | null = null) => texts(unfinishedWords([left], have, pid))[0];
  const what = 'An installation of TensorFlow 2.21.0 (cpu)';
  expect(told([])).toBe(
    `${what} is unfinished, 1.1 GB in /b/.building-cpu: nkat-recover backend install --cpu goes on, nkat-recover backend remove --cpu takes it away.`,
  );
  expect(told([installed('cuda12')])).not.toContain('installed of this kind');
  const older = installed('cpu');
  const other = { ...older, record: { ...older.record, tensorflow: '2.20.0' } };
  expect(told([other])).toContain('remove --cpu takes it away, and what is installed of this kind.');
  expect(told([older])).toContain('that one is installed; nkat-recover backend install --cpu checks it and takes');
  expect(told([], 77)).toBe(`${what} may be under way (pid 77): /b/.building-cpu`);
});
