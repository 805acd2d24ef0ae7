import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { StoreFiles } from './files.ts';

/** Sizes of all files under a path, together; links count for nothing and are not followed, what is gone neither. */
export async function treeBytes(files: StoreFiles, path: string): Promise<number> {
  try {
    const { kind, bytes } = await files.facts(path);
    if (kind !== 'directory') return kind === 'file' ? bytes : 0;
    let total = 0;
    for (const name of await files.list(path)) total += await treeBytes(files, join(path, name));
    return total;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return 0;
  }
}
