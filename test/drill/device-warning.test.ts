import { expect, test } from 'vitest';
import { deviceWarning } from '../../src/drill/backends.ts';
import { ownDevices } from '../../src/drill/inject/gpus.ts';
import { FakeSmi } from '../rig/fake-smi.ts';

const RTX = 'NVIDIA GeForce RTX 3080';

test('a checkpoint of a GPU on the CPU, and the other way round: both devices are named', () => {
  const own = { gpu: 'NVIDIA H100', cpu: 'Example CPU 9000' };
  expect(deviceWarning({ backend: 'tfjs-node-gpu', gpu: RTX }, 'tfjs-cpu', own)).toBe(
    `it was made on ${RTX} (tfjs-node-gpu) and loaded on the CPU, Example CPU 9000 (tfjs-cpu)`,
  );
  expect(deviceWarning({ backend: 'tfjs-cpu', gpu: null }, 'tfjs-node-gpu', own)).toBe(
    'it was made on the CPU (tfjs-cpu) and loaded on NVIDIA H100 (tfjs-node-gpu)',
  );
  expect(deviceWarning({ backend: 'tfjs-node-gpu', gpu: null }, null, { gpu: null, cpu: null })).toBe(
    'it was made on a GPU (tfjs-node-gpu) and loaded on the CPU (unknown)',
  );
});

test('a card that was there and was not used is no other device', () => {
  const own = { gpu: RTX, cpu: null };
  expect(deviceWarning({ backend: 'tfjs-wasm', gpu: RTX }, 'tfjs-wasm', own)).toBeNull();
  expect(deviceWarning({ backend: 'tfjs-node-gpu', gpu: RTX }, 'tfjs-node-gpu', own)).toBeNull();
});

test('what this machine has is asked of nvidia-smi; without one there is no card', async () => {
  const fake = await FakeSmi.start({ cards: [{ model: 'rtx3080' }, { model: 'rtx3080', uuid: 'GPU-5e' }] });
  expect((await ownDevices({ ...process.env, ...fake.environment })).gpu).toBe(RTX);
  expect((await ownDevices({ ...process.env, NKAT_NVIDIA_SMI: '/nowhere/nvidia-smi' })).gpu).toBeNull();
});
