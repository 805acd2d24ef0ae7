/** The published binary files, in small: made here, then broken in each way that a download can be. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCifarFiles } from '../../../trainers/cifar10/cifar-files.ts';
import { RECORD_BYTES } from '../../../trainers/cifar10/records.ts';
import { Refusal } from '../../../trainers/cifar10/refusal.ts';

const RECORDS = 4;
const FILES = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`).concat('test_batch.bin');
const NAMES = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nkat-cifar-'));
  for (const [number, name] of FILES.entries()) writeFileSync(join(folder, name), batchFile(number));
  // As published, with an empty line at the end.
  writeFileSync(join(folder, 'batches.meta.txt'), `${NAMES.join('\n')}\n\n`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Image i of file n is of class i + n mod 10; its first pixels are n, 10 + i and 20 + i in the three planes. */
function batchFile(number: number): Uint8Array {
  const bytes = new Uint8Array(RECORDS * RECORD_BYTES);
  for (let index = 0; index < RECORDS; index++) {
    bytes.set([(index + number) % 10, number], index * RECORD_BYTES);
    bytes[index * RECORD_BYTES + 1 + 1024] = 10 + index;
    bytes[index * RECORD_BYTES + 1 + 2048] = 20 + index;
  }
  return bytes;
}

function refusal(read: () => unknown): { message: string; hint: string } {
  try {
    read();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

test('all five files in their order, the test images and the names of the classes', () => {
  const { training, test: tested, classNames } = readCifarFiles(folder, RECORDS);
  expect([training.length, tested.length]).toEqual([20, 4]);
  expect(classNames).toEqual(NAMES);
  const { images, labels } = training.take(Int32Array.of(6, 19, 0));
  // Image 2 of file 2, image 3 of file 5, image 0 of file 1; files are numbered from 0 in here.
  expect([...labels]).toEqual([3, 7, 0]);
  expect(images.map((image) => [image.length, image[0], image[1024], image[2048]])).toEqual([
    [3072, 1, 12, 22],
    [3072, 4, 13, 23],
    [3072, 0, 10, 20],
  ]);
  expect([...(tested.take(Int32Array.of(1)).labels ?? [])]).toEqual([6]);
});

test('files of CIFAR-10 have 10,000 records unless a test says otherwise', () => {
  const { message } = refusal(() => readCifarFiles(folder));
  expect(message).toContain('data_batch_1.bin should have 30730000 bytes (10000 records of 3073) and has 12292');
});

test('a file that was cut off or is too long is named with both sizes', () => {
  truncateSync(join(folder, 'data_batch_4.bin'), 9000);
  const { message, hint } = refusal(() => readCifarFiles(folder, RECORDS));
  expect(message).toBe(`${join(folder, 'data_batch_4.bin')} should have 12292 bytes (4 records of 3073) and has 9000`);
  expect(hint).toContain('Unpack cifar-10-binary.tar.gz again');
  truncateSync(join(folder, 'data_batch_4.bin'), 12_293);
  expect(refusal(() => readCifarFiles(folder, RECORDS)).message).toContain('and has 12293');
});

test('a class over 9 is named with file, record and byte', () => {
  const bytes = batchFile(5);
  bytes[2 * RECORD_BYTES] = 10;
  writeFileSync(join(folder, 'test_batch.bin'), bytes);
  const { message } = refusal(() => readCifarFiles(folder, RECORDS));
  expect(message).toContain(
    `record 2 (byte 6146) of ${join(folder, 'test_batch.bin')} should begin with a class from 0`,
  );
  expect(message).toContain('begins with 10');
});

test('a file of CIFAR-100 is known by its size, the test images too', () => {
  for (const records of [50_000, 10_000]) {
    truncateSync(join(folder, 'test_batch.bin'), records * 3074);
    expect(refusal(() => readCifarFiles(folder, RECORDS)).message).toMatch(/, the size of a file of CIFAR-100$/);
  }
});

test('missing files are named together, with what is there and where they come from', () => {
  for (const name of ['data_batch_2.bin', 'batches.meta.txt']) rmSync(join(folder, name));
  const { message, hint } = refusal(() => readCifarFiles(folder, RECORDS));
  expect(message).toContain(`data_batch_2.bin, batches.meta.txt of CIFAR-10 is missing in ${folder}`);
  expect(message).toContain('found there: data_batch_1.bin');
  expect(hint).toContain('cifar-10-batches-bin');
});

test('a folder that is not there, one that is a file, and a class without a name', () => {
  expect(refusal(() => readCifarFiles(join(folder, 'none'))).message).toMatch(/none, the folder .* ENOENT/);
  expect(refusal(() => readCifarFiles(join(folder, 'test_batch.bin'))).message).toContain('ENOTDIR');
  writeFileSync(join(folder, 'batches.meta.txt'), NAMES.slice(0, 9).join('\n'));
  expect(refusal(() => readCifarFiles(folder, RECORDS)).message).toContain(
    'should name 10 classes, one a line, and names 9',
  );
});
