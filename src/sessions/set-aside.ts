/** A damaged database is moved out of the way, never deleted: it may be the only trace of something. */
import { existsSync, renameSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

/**
 * Moves the database and its side files to `<path>.damaged-<time>`.
 * @returns the new path; null when another process has moved it already.
 */
export function setDatabaseAside(path: string, now: Date): string | null {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace(/\..*/, 'Z');
  let aside = `${path}.damaged-${stamp}`;
  for (let n = 2; existsSync(aside); n += 1) aside = `${path}.damaged-${stamp}-${n}`;
  // The side files first: a log that stayed would be replayed into the new database.
  for (const suffix of ['-wal', '-shm']) move(`${path}${suffix}`, `${aside}${suffix}`);
  return move(path, aside) ? aside : null;
}

function move(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
