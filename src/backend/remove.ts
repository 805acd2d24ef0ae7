/** Takes installed backends and what unfinished installations left off the disk. */
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import { bytesBelow } from './growth.ts';
import { clearWorkPlace } from './work-place.ts';

export interface Removed {
  readonly folder: string;
  readonly bytes: number;
}

/**
 * A worker that has one loaded trains on: its files live until it ends.
 *
 * @param folder of all backends
 * @param isMeant by the name of a backend's folder, without the dot of one that is being built
 */
export function removeBackends(folder: string, isMeant: (name: string) => boolean): Removed[] {
  const removed: Removed[] = [];
  for (const name of namesIn(folder)) {
    const plain = name.replace(/^\.(?:building|removed)-/, '');
    if (name === '.lock' || !isMeant(plain)) continue;
    const path = join(folder, name);
    clearWorkPlace(path);
    const bytes = bytesBelow(path);
    // Under another name first: what is cut off half-way is no backend any more.
    const aside = name.startsWith('.') ? path : join(folder, `.removed-${plain}`);
    if (aside !== path) renameSync(path, aside);
    rmSync(aside, { recursive: true, force: true });
    removed.push({ folder: path, bytes });
  }
  return removed;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
