/** Removal in two steps: a rename that is synced, then unlinking off the hot path. Nothing is ever half removed. */
import { basename, dirname, join } from 'node:path';

import type { StoreFiles } from './files.ts';
import { makeDurableDirectory, TRASH } from './layout.ts';
import { freePath, namesIfAny, removeTree } from './small-file.ts';

/** Moves a directory of `<directory>` into its trash, durably. Returns where it went. */
export async function moveToTrash(files: StoreFiles, directory: string, path: string): Promise<string> {
  const trash = join(directory, TRASH);
  await makeDurableDirectory(files, trash);
  const target = await freePath(files, trash, basename(path));
  await files.rename(path, target);
  await files.syncDirectory(trash);
  await files.syncDirectory(dirname(path));
  return target;
}

/** Unlinks all that lies in the trash; a missing one is empty. */
export async function emptyTrash(files: StoreFiles, directory: string): Promise<void> {
  const trash = join(directory, TRASH);
  const names = await namesIfAny(files, trash);
  for (const name of names) await removeTree(files, join(trash, name));
}
