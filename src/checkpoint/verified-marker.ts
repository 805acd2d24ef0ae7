/** `verified.json`: this checkpoint was read back whole once. A hint for retention and lists, never for loading. */
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { VERIFIED_FILE } from './manifest.ts';
import { removeIfAny, writeNewFile } from './small-file.ts';
import type { VerificationLevel } from './types.ts';

/** Leaves the mark; nothing to do where it stands. @throws the system's error */
export async function markVerified(files: StoreFiles, checkpoint: string, level: VerificationLevel): Promise<void> {
  const text = `${JSON.stringify({ level, at: new Date().toISOString() })}\n`;
  try {
    await writeNewFile(files, join(checkpoint, VERIFIED_FILE), Buffer.from(text));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** Takes back a mark that does not hold, or could not be written whole. A disk that refuses this too is left as it is: it is a hint. */
export async function removeMark(files: StoreFiles, checkpoint: string): Promise<void> {
  try {
    await removeIfAny(files, join(checkpoint, VERIFIED_FILE));
  } catch (error) {
    if (errnoOf(error) === null) throw error;
  }
}
