/**
 * Before a checkpoint is rotated away: can it be read at all? What cannot be read for now (a right that is missing, a cable)
 * may be the newest work that was saved, and whoever mends that must find it.
 */
import { join } from 'node:path';
import { errnoOf, messageOf } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { readFully } from './small-file.ts';
import type { CheckpointEntry } from './types.ts';
import { verifyCheckpoint } from './verify.ts';

/** Enough to be asked of the device, and little beside what a save writes. */
const PROBE_BYTES = 4_096;

/**
 * Why it cannot be read; null: it can, or it is gone. Of one that was read back once the beginning of each file is read; one
 * without that mark, as the choice leaves one that it could not read, is read whole.
 */
export async function whyUnreadable(
  files: StoreFiles,
  { path, manifest, verified }: CheckpointEntry,
  session: string,
): Promise<string | null> {
  if (!verified) {
    const verdict = await verifyCheckpoint(files, path, { session, level: 1 });
    return verdict.status === 'unreadable' ? verdict.reason : null;
  }
  try {
    for (const name of Object.keys(manifest?.files ?? {})) await probe(files, join(path, name));
    return null;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    return errno === 'ENOENT' || errno === 'ELOOP' ? null : messageOf(error);
  }
}

async function probe(files: StoreFiles, path: string): Promise<void> {
  const file = await files.open(path, 'read');
  try {
    await readFully(file, Buffer.allocUnsafe(PROBE_BYTES), 0, PROBE_BYTES, 0);
  } finally {
    await file.close();
  }
}
