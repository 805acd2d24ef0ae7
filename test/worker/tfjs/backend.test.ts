import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, expect, test, vi } from 'vitest';
import { NkatError } from '../../../src/errors.ts';
import { backendInUse, useBackend } from '../../../src/worker/tfjs/backend.ts';
import { temporaryDirectory } from '../../rig/temporary-directory.ts';

// Whatever this machine has installed.
beforeEach(() => {
  vi.stubEnv('NKAT_BACKEND', 'off');
});

test('the best that loads is taken, and the better ones that did not are named', async () => {
  const choice = await useBackend();
  expect(choice).toEqual({
    name: 'tfjs-wasm',
    device: 'cpu',
    tensorflow: null,
    whyNoGpu: null,
    passedOver: [
      { name: 'native', reason: 'not installed' },
      { name: 'node-gpu', reason: 'not installed' },
      { name: 'node', reason: 'not installed' },
    ],
  });
  expect(backendInUse()).toBe('tfjs-wasm');
  expect(tf.tidy(() => tf.add(1, 2).dataSync()[0])).toBe(3);
});

test('one alone can be asked for', async () => {
  expect(await useBackend({ only: 'cpu' })).toEqual({
    name: 'tfjs-cpu',
    device: 'cpu',
    tensorflow: null,
    whyNoGpu: null,
    passedOver: [],
  });
});

test('an installed one that cannot be read is named, not called missing', async () => {
  const home = temporaryDirectory();
  const folder = join(home, 'backends', 'cpu-2.21.0-a');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'backend.json'), '{"format":');
  vi.stubEnv('NKAT_BACKEND', undefined);
  vi.stubEnv('NKAT_HOME', home);
  const reasons = async (): Promise<unknown> => (await useBackend()).passedOver[0];
  expect(await reasons()).toEqual({ name: 'native', reason: `its backend.json in ${folder} cannot be read` });
  vi.stubEnv('NKAT_BACKEND', join(home, 'nowhere'));
  expect(await reasons()).toMatchObject({ reason: expect.stringContaining('NKAT_BACKEND names') });
});

test('a required GPU is never replaced by something slower', async () => {
  await useBackend({ only: 'cpu' });
  const error = await useBackend({ requireGpu: true }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(NkatError);
  expect(error).toMatchObject({ code: 'backend-missing', message: expect.stringContaining('node-gpu: not installed') });
  expect(backendInUse()).toBe('tfjs-cpu');
  await expect(useBackend({ only: 'wasm', requireGpu: true })).rejects.toMatchObject({ code: 'backend-missing' });
});

test("where TensorFlow's own library is required, neither wasm nor cpu takes its place", async () => {
  await useBackend({ only: 'cpu' });
  await expect(useBackend({ requireNative: true })).rejects.toMatchObject({
    code: 'backend-missing',
    message: expect.stringMatching(
      /native: not installed; .*; wasm: it is not TensorFlow's own library; cpu: it is not/,
    ),
    hint: expect.stringContaining('nkat-recover backend install'),
  });
  expect(backendInUse()).toBe('tfjs-cpu');
});

test('a required GPU that nobody has ends the process with 78, the reason and no stack', () => {
  const trainer = join(temporaryDirectory(), 'trainer.mjs');
  const sdk = fileURLToPath(new URL('../../../dist/worker/tfjs/index.js', import.meta.url));
  writeFileSync(
    trainer,
    `import { useBackend } from ${JSON.stringify(sdk)};\nawait useBackend({ requireGpu: true });\n`,
  );
  const { status, stderr } = spawnSync(process.execPath, [trainer], { encoding: 'utf8' });
  expect(stderr.trim().split('\n')).toEqual([
    'Backend: a GPU is required, and no GPU backend could be loaded (native: not installed; node-gpu: not installed).',
    expect.stringContaining('nkat-recover backend install --cuda12'),
  ]);
  expect(status).toBe(78);
});
