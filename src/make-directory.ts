/** Folders that are to be there. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from './errors.ts';

/**
 * Makes a folder and those above it, one after another: Node's own `recursive` never returns, with all signals unheard, where
 * the system answers ENOENT to a folder whose parent is there, as `/proc` does (Node 20.20).
 *
 * @param mode of each folder that is made
 * @throws the system's error
 */
export function makeDirectory(path: string, mode?: number): void {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST' && statSync(path).isDirectory()) return;
    if (errno !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirectory(dirname(path), mode);
    mkdirSync(path, mode);
  }
}
