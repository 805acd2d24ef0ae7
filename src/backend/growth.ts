/** How much of a download or of what comes out of it is there, by the size of its folder. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';

/** Bytes of the files in a folder and below; what vanishes meanwhile counts nothing. */
export function bytesBelow(folder: string): number {
  let bytes = 0;
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += bytesBelow(path);
    else if (entry.isFile()) bytes += lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

function entriesOf(folder: string): import('node:fs').Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Calls `tell` with the size of the folder now and then while `work` goes on. */
export async function whileGrowing<T>(folder: string, tell: (bytes: number) => void, work: Promise<T>): Promise<T> {
  const timer = setInterval(() => tell(bytesBelow(folder)), 500);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
