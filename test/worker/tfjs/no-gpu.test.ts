import { expect, test } from 'vitest';
import { whyNoGpu } from '../../../src/worker/tfjs/no-gpu.ts';

const DRIVER = '7f00-7f01 r--p 0 08:01 1 /usr/lib/x86_64-linux-gnu/libcuda.so.550.1\n';
const RUNTIME = '7f02-7f03 r--p 0 08:01 2 /home/backends/it/nvidia/cuda_runtime/lib/libcudart.so.12\n';

test('a card that is hidden, a driver that is missing, libraries that did not load, or what only TensorFlow knows', () => {
  expect(whyNoGpu({ CUDA_VISIBLE_DEVICES: '' }, DRIVER + RUNTIME)).toContain('CUDA_VISIBLE_DEVICES');
  expect(whyNoGpu({ CUDA_VISIBLE_DEVICES: '-1' }, '')).toContain('CUDA_VISIBLE_DEVICES');
  expect(whyNoGpu({}, RUNTIME)).toBe('there is no NVIDIA driver here (no libcuda.so.1)');
  expect(whyNoGpu({ CUDA_VISIBLE_DEVICES: '0,1' }, DRIVER)).toContain('libcudart.so.12');
  expect(whyNoGpu({}, DRIVER + RUNTIME)).toBeNull();
});
