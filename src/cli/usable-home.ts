/** A state home that can be none is told in plain words, before anything stumbles over it. */
import { statSync } from 'node:fs';
import { errnoOf, NkatError } from '../errors.ts';
import type { StateHome } from '../home.ts';

/** @throws NkatError `io` where something else stands in its place. That it is not there yet is no hindrance. */
export function refuseUnusableHome({ directory }: StateHome): void {
  const why = whyUnusable(directory);
  if (why === null) return;
  throw new NkatError(why, {
    code: 'io',
    operation: 'use the state home',
    path: directory,
    hint: 'Name a folder with NKAT_HOME, or leave NKAT_HOME out for the default one.',
  });
}

function whyUnusable(directory: string): string | null {
  try {
    const found = statSync(directory, { throwIfNoEntry: false });
    return found === undefined || found.isDirectory() ? null : 'it is no folder';
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    if (errno === 'ENOTDIR') return 'it lies below something that is no folder';
    return errno === 'ELOOP' ? 'its links lead in a circle' : null;
  }
}
