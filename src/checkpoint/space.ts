/** Room is checked before a save, so that a full disk is found before anything is written. */
import { NkatError } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import type { StoreLayout } from './layout.ts';
import { emptyTrash } from './trash.ts';

/** How many times the size of a checkpoint must be free. Source: design section 6, "Commit order". */
const ROOM_FACTOR = 2;

/** Empties the trash when there is too little room, and refuses when that was not enough. @throws NkatError `no-space` */
export async function requireRoom(files: StoreFiles, layout: StoreLayout, bytes: number): Promise<void> {
  const needed = bytes * ROOM_FACTOR;
  if ((await files.freeBytes(layout.directory)) >= needed) return;
  await emptyTrash(files, layout.directory);
  const free = await files.freeBytes(layout.directory);
  if (free >= needed) return;
  throw new NkatError(`Saving needs ${needed} free bytes (twice the size of a checkpoint); there are ${free}.`, {
    code: 'no-space',
    operation: 'commit a checkpoint',
    path: layout.directory,
    hint: 'Free some space on that disk, or choose another with --dir.',
  });
}
