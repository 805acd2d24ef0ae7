/** Sessions under a root, as their own records tell. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { errnoOf, NkatError } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { readSessionFile } from './session-file.ts';
import { guarded } from './store-error.ts';
import type { SessionFile, SessionIdentity } from './types.ts';

export interface FoundSession {
  readonly id: string;
  readonly directory: string;
  readonly file: SessionFile;
}

/** Told of every directory whose record cannot be read; the others are listed all the same. */
export type OnUnreadable = (directory: string, error: NkatError) => void;

/** Every session under a root, newest first; a root that is missing has none. @throws NkatError `io` */
export function listSessions(
  files: StoreFiles,
  root: string,
  onUnreadable: OnUnreadable = () => {},
): Promise<FoundSession[]> {
  return guarded('list the sessions', root, async () => {
    const found: FoundSession[] = [];
    for (const id of await namesIn(files, root)) {
      const directory = join(root, id);
      const file = await recordOf(files, directory, onUnreadable);
      if (file !== null) found.push({ id, directory, file });
    }
    return found.sort((a, b) => compare(b.file.createdAt, a.file.createdAt) || compare(b.id, a.id));
  });
}

/** The newest session of this identity, or null. @throws NkatError `io` */
export async function findByIdentity(
  files: StoreFiles,
  root: string,
  identity: SessionIdentity,
  onUnreadable?: OnUnreadable,
): Promise<FoundSession | null> {
  const sessions = await listSessions(files, root, onUnreadable);
  return sessions.find(({ file }) => isSame(file.identity, identity)) ?? null;
}

async function recordOf(files: StoreFiles, directory: string, onUnreadable: OnUnreadable): Promise<SessionFile | null> {
  try {
    return await readSessionFile(files, directory);
  } catch (error) {
    if (!(error instanceof NkatError)) throw error;
    // A stray file among the sessions is none of them.
    if (errnoOf(error.cause) !== 'ENOTDIR') onUnreadable(directory, error);
    return null;
  }
}

function isSame(a: SessionIdentity, b: SessionIdentity): boolean {
  return isDeepStrictEqual([a.cwd, a.trainer, a.args, a.name], [b.cwd, b.trainer, b.args, b.name]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function namesIn(files: StoreFiles, root: string): Promise<string[]> {
  try {
    return await files.list(root);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
