/**
 * Where the copies of the best model lie, often on a disk of its own: made once. A marker in the session's directory
 * says that it was there; gone later, its disk is not mounted, and what was made in its place would fill the disk below
 * the mount point and be hidden when the right one comes back.
 */
import { join } from 'node:path';
import { NkatError } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { isDirectory, makeDurableDirectory, type StoreLayout } from './layout.ts';
import { readTextIfAny, replaceFile } from './small-file.ts';
import { takesNoWrites } from './store-error.ts';

/** Holds the path that was there: a session may be given another place. */
const MARKER = '.backups';
const MAX_MARKER_BYTES = 64 * 1024;

/**
 * Makes the place where it never was; nothing to do where it stands.
 * @throws NkatError `store-missing` where it was and is gone; the system's error
 */
export async function openBackupPlace(files: StoreFiles, { directory, backups }: StoreLayout): Promise<void> {
  const marker = join(directory, MARKER);
  const wasThere = (await readTextIfAny(files, marker, MAX_MARKER_BYTES))?.trim() === backups;
  const isThere = await isDirectory(files, backups);
  if (wasThere && isThere) return;
  if (wasThere) throw gone(backups);
  if (!isThere) await makeDurableDirectory(files, backups);
  try {
    await replaceFile(files, marker, `${backups}\n`);
  } catch (error) {
    // A full disk of the session must not keep the copy from being made; the next one marks it.
    if (!takesNoWrites(error)) throw error;
  }
}

function gone(backups: string): NkatError {
  return new NkatError(`the folder is gone, is its disk mounted? If it was removed on purpose: mkdir -p '${backups}'`, {
    code: 'store-missing',
    operation: 'copy the best checkpoint',
    path: backups,
    hint: 'Mount it again: the copies are caught up by themselves.',
  });
}
