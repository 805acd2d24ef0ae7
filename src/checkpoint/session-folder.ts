/** What makes a folder a session's: its record, its checkpoints. Among other folders it must not be guessed. */
import { basename, join } from 'node:path';
import { errnoOf, NkatError } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { parseCheckpointName, QUARANTINE } from './layout.ts';
import { readSessionFile, SESSION_FILE } from './session-file.ts';
import { isSessionId } from './session-id.ts';

/**
 * Whether a folder is a session's. One that cannot be read, or whose record is damaged and that has nothing else, is
 * where its name is that of a session: other programs have a `session.json` too.
 */
export async function isSessionFolder(files: StoreFiles, directory: string): Promise<boolean> {
  const isNamedSo = isSessionId(basename(directory));
  try {
    const names = await files.list(directory);
    if (names.some((name) => parseCheckpointName(name) !== null)) return true;
    if (names.includes(SESSION_FILE)) return isNamedSo || (await isRecord(files, directory));
    if (!names.includes(QUARANTINE)) return false;
    const quarantined = await files.list(join(directory, QUARANTINE));
    return quarantined.some((name) => parseCheckpointName(name.replace(/~\d+$/, '')) !== null);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    return isNamedSo && errno !== 'ENOTDIR' && errno !== 'ENOENT';
  }
}

async function isRecord(files: StoreFiles, directory: string): Promise<boolean> {
  try {
    return (await readSessionFile(files, directory)) !== null;
  } catch (error) {
    if (!(error instanceof NkatError)) throw error;
    return error.code === 'format-newer';
  }
}
