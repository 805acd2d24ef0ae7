import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bounceBuffers } from '../../src/checkpoint/bounce-buffers.ts';
import { READ_BUFFERS, readChunks } from '../../src/checkpoint/chunk-reader.ts';
import { CHUNK_BYTES } from '../../src/checkpoint/digest.ts';
import { nodeFiles, type StoreFile, type StoreFiles } from '../../src/checkpoint/files.ts';
import { systemError } from './faulty-files.ts';
import { temporaryDirectory } from './store.ts';

const BYTES = 3 * CHUNK_BYTES + 5;

function fileOf(bytes: Buffer): string {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, bytes);
  return path;
}

async function contentsOf(files: StoreFiles, path: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const { bytes } of readChunks(files, path, BYTES, bounceBuffers(READ_BUFFERS)))
    parts.push(Buffer.from(bytes));
  return Buffer.concat(parts);
}

/** The real disk, with its files changed. */
function filesWith(change: (file: StoreFile) => Partial<StoreFile>): StoreFiles {
  return {
    ...nodeFiles,
    open: async (path, mode, direct) => {
      const file = await nodeFiles.open(path, mode, direct);
      const real: StoreFile = {
        direct: file.direct,
        read: (...args) => file.read(...args),
        write: (...args) => file.write(...args),
        truncate: (bytes) => file.truncate(bytes),
        sync: () => file.sync(),
        facts: () => file.facts(),
        close: () => file.close(),
      };
      return { ...real, ...change(file) };
    },
  };
}

test('who stops early gets the buffers back when no read is in flight any more', async () => {
  const path = fileOf(randomBytes(BYTES));
  let inFlight = 0;
  let openTheGate: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    openTheGate = resolve;
  });
  const closedWith: number[] = [];
  const files = filesWith((file) => ({
    read: async (target, offset, length, position) => {
      inFlight += 1;
      if (position > 0) await gate;
      const read = await file.read(target, offset, length, position);
      inFlight -= 1;
      return read;
    },
    close: () => {
      closedWith.push(inFlight);
      return file.close();
    },
  }));
  const reading = readChunks(files, path, BYTES, bounceBuffers(READ_BUFFERS));
  expect((await reading.next()).value?.index).toBe(0);
  expect(inFlight).toBe(READ_BUFFERS - 1);
  const ended = reading.return(undefined);
  setImmediate(openTheGate);
  await ended;
  expect({ inFlight, closedWith }).toEqual({ inFlight: 0, closedWith: [0] });
});

test('a file system that takes O_DIRECT at the opening and refuses it at the first read is read buffered', async () => {
  const bytes = randomBytes(BYTES);
  const path = fileOf(bytes);
  const refusing = filesWith((file) => (file.direct ? { read: () => Promise.reject(systemError('EINVAL')) } : {}));
  expect((await contentsOf(refusing, path)).equals(bytes)).toBe(true);
  const failing = filesWith((file) => (file.direct ? { read: () => Promise.reject(systemError('EIO')) } : {}));
  await expect(contentsOf(failing, path)).rejects.toMatchObject({ code: 'EIO' });
});

test.runIf(process.platform === 'linux')(
  'a file system that refuses O_DIRECT at the opening is opened plainly',
  async () => {
    const file = await nodeFiles.open('/proc/self/status', 'read', true);
    const text = Buffer.alloc(64);
    expect({ direct: file.direct, read: await file.read(text, 0, 64, 0) }).toEqual({ direct: false, read: 64 });
    expect(text.toString()).toContain('Name:');
    await file.close();
  },
);
