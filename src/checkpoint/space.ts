/** Room is checked before a save, so that a full disk is found before anything is written. */
import { NkatError } from '../errors.ts';
import { aboutBytes } from '../units.ts';
import type { StoreFiles } from './files.ts';
import type { StoreLayout } from './layout.ts';
import { cleanTemporaries, removeIfAny, temporaryPath, writeNewFile } from './small-file.ts';
import { cleanStaging } from './staging.ts';
import { NO_ROOM_HINT, takesNoWrites } from './store-error.ts';
import { emptyTrash } from './trash.ts';

/** How many times the size of a checkpoint must be free. Source: design section 6, "Commit order". */
const ROOM_FACTOR = 2;
/** A block: its file takes an inode and space, so quotas, inodes and a read-only mount show too. */
const PROBE_BYTES = 4096;

/** What the files beside the tensors need. */
const SMALL_FILES_BYTES = 64 * 1024;

/**
 * Empties the trash when there is too little room, and refuses when that was not enough.
 *
 * @param isLast the run ends with it: what it says is lost without it, so there it may take the margin as well
 * @throws NkatError `no-space`
 */
export async function requireRoom(
  files: StoreFiles,
  layout: StoreLayout,
  bytes: number,
  isLast: boolean,
): Promise<void> {
  const needed = isLast ? bytes + SMALL_FILES_BYTES : bytes * ROOM_FACTOR;
  if ((await files.freeBytes(layout.directory)) >= needed) return;
  await emptyTrash(files, layout.directory);
  const free = await files.freeBytes(layout.directory);
  if (free >= needed) return;
  const why = isLast ? 'the size of a checkpoint' : 'twice the size of a checkpoint';
  throw new NkatError(`Saving needs ${aboutBytes(needed)} (${why}), and ${aboutBytes(free)} are free.`, {
    code: 'no-space',
    operation: 'commit a checkpoint',
    path: layout.directory,
    hint: NO_ROOM_HINT,
  });
}

/**
 * True when a checkpoint of this size would find room: the bytes are free and a small file can be written. What nobody
 * needs (trash, staging of dead processes) is removed first. @throws the system's error when it is about something else
 */
export async function hasRoom(files: StoreFiles, layout: StoreLayout, bytes: number): Promise<boolean> {
  const { directory } = layout;
  try {
    if ((await files.freeBytes(directory)) < bytes * ROOM_FACTOR) {
      await cleanStaging(files, directory);
      await cleanTemporaries(files, directory);
      await emptyTrash(files, directory);
      if ((await files.freeBytes(directory)) < bytes * ROOM_FACTOR) return false;
    }
    await probe(files, directory);
    return true;
  } catch (error) {
    if (takesNoWrites(error)) return false;
    throw error;
  }
}

async function probe(files: StoreFiles, directory: string): Promise<void> {
  const path = temporaryPath(directory, 'probe');
  try {
    await writeNewFile(files, path, Buffer.alloc(PROBE_BYTES));
  } finally {
    await removeIfAny(files, path);
  }
}
