/** Sessions under a root, as their own records tell. */

import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { errnoOf, NkatError } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { listPlace } from './list.ts';
import { readSessionFile } from './session-file.ts';
import { namesIfAny } from './small-file.ts';
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
    for (const id of await namesIfAny(files, root)) {
      const directory = join(root, id);
      const file = await recordOf(files, directory, onUnreadable);
      if (file !== null) found.push({ id, directory, file });
    }
    return found.sort((a, b) => compare(b.file.createdAt, a.file.createdAt) || compare(b.id, a.id));
  });
}

/**
 * The newest session of this identity, or null.
 * @throws NkatError `io`; also when the record of a later session cannot be read whose checkpoints are of the same
 * trainer and arguments: passing over it would start from zero, or from long ago, in silence
 */
export async function findByIdentity(
  files: StoreFiles,
  root: string,
  identity: SessionIdentity,
): Promise<FoundSession | null> {
  const unreadable: { readonly directory: string; readonly error: NkatError }[] = [];
  const sessions = await listSessions(files, root, (directory, error) => unreadable.push({ directory, error }));
  const found = sessions.find(({ file }) => isSame(file.identity, identity)) ?? null;
  for (const { directory, error } of unreadable) {
    const isLater = found === null || compare(basename(directory), found.id) > 0;
    if (isLater && (await hasCheckpointsOf(files, directory, identity))) throw error;
  }
  return found;
}

/**
 * Whether a session directory that cannot be read as one holds checkpoints of this trainer and these arguments. A copy
 * of another session's directory has none of its own.
 * @throws NkatError `io`
 */
export async function hasCheckpointsOf(
  files: StoreFiles,
  directory: string,
  identity: SessionIdentity,
): Promise<boolean> {
  const entries = await guarded('list the checkpoints', directory, () => listPlace(files, directory, 'session'));
  return entries.some(({ manifest }) => {
    if (manifest === null || manifest.session !== basename(directory) || manifest.trainer === null) return false;
    const { path, args } = manifest.trainer;
    return isDeepStrictEqual([path, args], [identity.trainer, identity.args]);
  });
}

async function recordOf(files: StoreFiles, directory: string, onUnreadable: OnUnreadable): Promise<SessionFile | null> {
  try {
    const file = await readSessionFile(files, directory);
    const id = basename(directory);
    if (file === null || file.id === id) return file;
    // Taken for a session, all its checkpoints would be those of another one: damaged.
    const problem = `it is a copy or was renamed: its session.json is that of session ${file.id}`;
    throw new NkatError(problem, { code: 'io', operation: 'read the session', path: directory });
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
