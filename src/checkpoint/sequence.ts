/** Sequence numbers: ever rising within a session, whatever was quarantined, thrown away or lost. */
import { join } from 'node:path';
import { errnoOf, NkatError } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { QUARANTINE, STAGING, type StoreLayout, sequenceInName, TRASH } from './layout.ts';
import { readSessionFile } from './session-file.ts';

/**
 * Every number that the names in the session's directory, its backups, quarantine, trash and staging and the record
 * in session.json speak of.
 * @param own a staging directory that does not count, because it is the asker's
 */
export async function usedSequences(
  files: StoreFiles,
  layout: StoreLayout,
  own: string | null,
): Promise<ReadonlySet<number>> {
  const { directory, backups } = layout;
  const places = [directory, backups, ...[QUARANTINE, TRASH, STAGING].map((part) => join(directory, part))];
  const used = new Set([await recordedSequence(files, directory)]);
  for (const place of places) {
    for (const name of await namesIn(files, place, place === backups)) {
      const sequence = join(place, name) === own ? null : sequenceInName(name);
      if (sequence !== null) used.add(sequence);
    }
  }
  return used;
}

/** 1 + the highest of them. */
export function nextSequence(used: ReadonlySet<number>): number {
  return 1 + Math.max(0, ...used);
}

/** A session.json that cannot be read must not keep the session from saving: the names say the same. */
async function recordedSequence(files: StoreFiles, directory: string): Promise<number> {
  try {
    return (await readSessionFile(files, directory))?.lastCommit?.sequence ?? 0;
  } catch (error) {
    if (error instanceof NkatError) return 0;
    throw error;
  }
}

/** @param optional the place may be on another disk, whose failure must not keep a session from saving */
async function namesIn(files: StoreFiles, place: string, optional: boolean): Promise<string[]> {
  try {
    return await files.list(place);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || (optional && errno !== null)) return [];
    throw error;
  }
}
