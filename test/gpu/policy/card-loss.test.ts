import { expect, test } from 'vitest';
import { lossOfFaults, lossOfLines, lossOfTrouble, lossOfXids, xidWords } from '../../../src/gpu/policy/card-loss.ts';
import { fullCardLine } from '../../../src/gpu/policy/card-memory-words.ts';
import { troubleOf } from '../../../src/gpu/smi-trouble.ts';
import { readXid, type XidMessage } from '../../../src/gpu/xid.ts';

function xids(...numbers: number[]): XidMessage[] {
  return numbers.flatMap(
    (number) => readXid(`NVRM: Xid (PCI:0000:01:00): ${number}, pid=4242, name=node, words`) ?? [],
  );
}

test.each([8, 13, 31, 68, 69, 94])('Xid %d is mended by a new start of the program', (number) => {
  expect(lossOfXids(xids(number))).toBeNull();
  expect(xidWords(xids(number))).toContain(`Xid ${number}: `);
});

test.each([46, 62, 64, 95, 109, 119, 120, 136, 140, 143, 156, 158])('Xid %d wants a reset', (number) => {
  expect(lossOfXids(xids(number))?.hint).toContain('--gpu-reset');
});

test('Xid 79 wants a reboot, also among others', () => {
  expect(lossOfXids(xids(31, 79, 119, 45))).toMatchObject({
    words: 'Xid 79 of the GPU at 0000:01:00: the card has fallen off the bus',
  });
  expect(lossOfXids(xids(31, 79, 119, 45))?.hint).toContain('Reboot');
});

test.each([43, 45, 63, 92, 999])('Xid %d concludes nothing', (number) => {
  expect(lossOfXids(xids(number))).toBeNull();
  expect(xidWords(xids(number))).toBeNull();
});

test('what a row says', () => {
  expect(lossOfFaults('GPU 1', [])).toBeNull();
  expect(lossOfFaults('GPU 1', [{ kind: 'bad-memory', words: 'x' }])).toBeNull();
  expect(lossOfFaults('GPU 1', [{ kind: 'lost', words: 'it is lost' }])).toMatchObject({ words: 'GPU 1: it is lost' });
  const reset = lossOfFaults('GPU 1', [{ kind: 'recovery-action', action: 'GPU Reset', words: 'x' }]);
  expect(reset?.hint).toContain('--gpu-reset');
});

test('how nvidia-smi ends', () => {
  expect(lossOfTrouble(troubleOf(15, ''))?.hint).toContain('Reboot');
  expect(lossOfTrouble(troubleOf(16, ''))?.hint).toContain('--gpu-reset');
  expect(lossOfTrouble(troubleOf(9, ''))).toBeNull();
  expect(lossOfTrouble(troubleOf(1, 'whatever'))).toBeNull();
});

test.each([
  'RuntimeError: CUDA error: uncorrectable ECC error encountered',
  'Unable to determine the device handle for GPU 0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU',
])('a trainer that says it: %s', (line) => {
  expect(lossOfLines(['before', line, 'after'])?.words).toBe(line);
});

test.each([
  'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB',
  'RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`',
  'Error: OOM when allocating tensor with shape[256,64,112,112] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc',
  'jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 34359738368 bytes.',
  'E tensorflow/stream_executor/cuda/cuda_driver.cc:802] failed to allocate 2.2K: CUDA_ERROR_OUT_OF_MEMORY: out of memory',
])('full: %s', (line) => {
  expect(fullCardLine(['x', line, 'y'])).toBe(line.slice(0, 200));
});

test.each([
  'OOM when allocating tensor with shape[9,9] on /device:CPU:0 by allocator cpu',
  'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  'No space left on device',
])('not the memory of a card: %s', (line) => {
  expect(fullCardLine([line])).toBeNull();
});
