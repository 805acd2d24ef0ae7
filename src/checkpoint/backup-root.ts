/**
 * The root of the copies of best models, opened before a session is made that is to have its copies there. It carries a
 * mark, and the state home lists the roots that do: one that is listed and has lost its mark is the bare mount point of
 * a disk that is away. Folders made there would fill the disk below it and be hidden when the right one comes back.
 */
import { join, relative } from 'node:path';
import { errnoOf, messageOf, NkatError } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { isDirectory, makeDurableDirectory, makeDurableLevel } from './layout.ts';
import { readRoots, registerRoot } from './roots.ts';
import { namesIfAny } from './small-file.ts';

/** A folder of this name stands in every root of copies. */
const MARK = '.nkat-recover';
const OPERATION = 'keep copies of the best model there';

export interface BackupRoot {
  readonly root: string;
  /** The state home: what was removed there was removed with the list, or on purpose. */
  readonly home: string;
  /** Plain text list of the roots that carry the mark. */
  readonly listFile: string;
}

/**
 * Makes the root where it never was, and marks it.
 * @throws NkatError `store-missing` where it was and its disk is away; `io` where it cannot be a folder of ours
 */
export async function openBackupRoot(files: StoreFiles, place: BackupRoot): Promise<void> {
  const { root, listFile } = place;
  const known = (await readRoots(files, listFile)).includes(root);
  try {
    const isThere = await isDirectory(files, root);
    const names = isThere ? await namesIfAny(files, root) : [];
    const isMarked = names.includes(MARK);
    if (known && isMarked) return;
    if (known && names.length === 0 && (isThere || !isWithin(place))) throw away(root);
    if (!isThere) await makeDurableDirectory(files, root);
    if (!isMarked) await makeDurableLevel(files, join(root, MARK));
  } catch (error) {
    if (error instanceof NkatError || errnoOf(error) === null) throw error;
    // A full disk is told when there is something to copy, and may have room by then.
    if (isFull(error)) return;
    throw refused(root, error);
  }
  if (!known) await registerRoot(files, listFile, root);
}

function isWithin({ root, home }: BackupRoot): boolean {
  return !relative(home, root).startsWith('..');
}

function isFull(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOSPC' || errno === 'EDQUOT';
}

const WHY: Readonly<Record<string, string>> = {
  ENOTDIR: 'it is no folder, or lies below something that is none',
  EEXIST: 'it is no folder',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its disk is read-only',
};

function refused(root: string, error: unknown): NkatError {
  const why = WHY[errnoOf(error) ?? ''] ?? `no folder can be made there (${messageOf(error)})`;
  return new NkatError(why, {
    code: 'io',
    operation: OPERATION,
    path: root,
    hint: 'Name another folder with --backups (backups in the configuration file, NKAT_BACKUPS). Nothing was started.',
    cause: error,
  });
}

function away(root: string): NkatError {
  return new NkatError('it held copies before and is gone or empty: is its disk mounted?', {
    code: 'store-missing',
    operation: OPERATION,
    path: root,
    hint: `Mount it, or name another folder with --backups. If it was emptied on purpose: mkdir -p '${join(root, MARK)}'`,
  });
}
