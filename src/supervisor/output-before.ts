/** Where an adopting supervisor starts in an output file that an earlier one has read and made holes in. */
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from '../errors.ts';

const SLICE_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(SLICE_BYTES);

/**
 * The place to go on from: `stored`, or 0 if the file was truncated since, or the end of a hole that somebody (the SDK,
 * while no supervisor lived) made past it.
 */
export async function startOf(path: string, stored: number): Promise<number> {
  return withFile(path, 0, async (handle) => {
    const { size, blocks } = await handle.stat();
    if (stored > size) return 0;
    // Without a hole in what is unread, zeros are the worker's own output.
    if (blocks * 512 >= size - stored) return stored;
    const slice = Buffer.allocUnsafe(SLICE_BYTES);
    for (let position = stored; ; ) {
      const { bytesRead } = await handle.read(slice, 0, SLICE_BYTES, position);
      if (bytesRead === 0) return position;
      const read = slice.subarray(0, bytesRead);
      if (!read.equals(ZEROS.subarray(0, bytesRead))) return position + read.findIndex((byte) => byte !== 0);
      position += bytesRead;
    }
  });
}

/** Complete lines in the last `bytes` before `offset`, as far as they are still there. */
export async function linesBefore(path: string, offset: number, bytes: number): Promise<string[]> {
  return withFile(path, [], async (handle) => {
    const start = Math.max(0, offset - bytes);
    const buffer = Buffer.alloc(offset - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    const lines = buffer.toString('utf8', 0, bytesRead).replaceAll('\0', '').split('\n').slice(0, -1);
    // What stands first was probably begun before.
    return start > 0 ? lines.slice(1) : lines;
  });
}

async function withFile<T>(path: string, missing: T, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return missing;
    throw error;
  }
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}
