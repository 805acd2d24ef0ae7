/** Where things lie in a session's directory and how they are named. */
import { dirname, resolve } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { StoreFiles } from './files.ts';

export interface StoreLayout {
  /** Id of the session. */
  readonly session: string;
  /** `<root>/<session>`. */
  readonly directory: string;
  /** `<backupsRoot>/<session>`. */
  readonly backups: string;
}

export interface CheckpointName {
  readonly session: string;
  readonly step: number;
  readonly sequence: number;
}

export const STAGING = '.staging';
export const QUARANTINE = '.quarantine';
export const TRASH = '.trash';
export const PINS = '.pins';
export const OWNERS = 'owners';
export const LATEST = 'latest';

export function storeLayout(root: string, backupsRoot: string, session: string): StoreLayout {
  return { session, directory: resolve(root, session), backups: resolve(backupsRoot, session) };
}

export function checkpointName(session: string, step: number, sequence: number): string {
  return `checkpoint_${session}_${step}_${sequence}`;
}

/** Null where the name is not one that {@link checkpointName} makes. */
export function parseCheckpointName(name: string): CheckpointName | null {
  const match = /^checkpoint_(.+)_(\d{1,15})_(\d{1,15})$/.exec(name);
  if (match === null) return null;
  const [, session = '', step, sequence] = match;
  return { session, step: Number(step), sequence: Number(sequence) };
}

/** Name of a best model's own copy. */
export function backupName(step: number, sequence: number): string {
  return `best_${step}_${sequence}`;
}

export function parseBackupName(name: string): { readonly step: number; readonly sequence: number } | null {
  const match = /^best_(\d{1,15})_(\d{1,15})$/.exec(name);
  return match === null ? null : { step: Number(match[1]), sequence: Number(match[2]) };
}

/** True for what stands for a checkpoint in a session's directory, even when the rest of the name was changed. */
export function looksLikeCheckpoint(name: string): boolean {
  return name.startsWith('checkpoint_');
}

/** Sequence that a name in any part of the store speaks of, `~2` suffixes of moved directories included, or null. */
export function sequenceInName(name: string): number | null {
  const plain = name.replace(/~\d+$/, '');
  const staged = /^commit_(\d{1,15})_/.exec(plain);
  if (staged !== null) return Number(staged[1]);
  return parseCheckpointName(plain)?.sequence ?? parseBackupName(plain)?.sequence ?? null;
}

/**
 * Creates a directory with all that is missing above it, mode 0700, and makes each new name durable before the next
 * level is made. So at most the deepest existing level can have been left unsynced by a process that died here; its
 * parent is therefore synced too.
 */
export async function makeDurableDirectory(files: StoreFiles, path: string): Promise<void> {
  const missing: string[] = [];
  let existing = resolve(path);
  while (!(await isDirectory(files, existing))) {
    missing.push(existing);
    const parent = dirname(existing);
    if (parent === existing) break;
    existing = parent;
  }
  await syncWhereAllowed(files, dirname(existing));
  for (const directory of missing.reverse()) {
    try {
      await files.makeDirectory(directory);
    } catch (error) {
      // Another process made it first; its sync may still be ahead, so ours is done all the same.
      if (errnoOf(error) !== 'EEXIST' || !(await isDirectory(files, directory))) throw error;
    }
    await files.syncDirectory(dirname(directory));
  }
}

/**
 * One level only, durably; nothing where it stands. What is above may be on a disk that goes away, and must not be made
 * in its place. @throws the system's error, ENOENT where what is above is gone
 */
export async function makeDurableLevel(files: StoreFiles, path: string): Promise<void> {
  try {
    await files.makeDirectory(path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return;
  }
  await files.syncDirectory(dirname(path));
}

/** True for a link to one too. @throws the system's error */
export async function isDirectory(files: StoreFiles, path: string): Promise<boolean> {
  try {
    // `<path>/.` is looked up through a link, so that a root may be one.
    return (await files.facts(`${path}/.`)).kind === 'directory';
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return false;
    throw error;
  }
}

/** The parent of a directory that stood before us may belong to someone else; then its name is not ours to sync. */
async function syncWhereAllowed(files: StoreFiles, path: string): Promise<void> {
  try {
    await files.syncDirectory(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'EACCES' && errno !== 'EPERM' && errno !== 'EINVAL' && errno !== 'EROFS') throw error;
  }
}
