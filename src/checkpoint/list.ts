/** What stands in a session's directory and in its backups. Reads manifests, moves nothing. */
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { looksLikeCheckpoint, parseBackupName, parseCheckpointName, type StoreLayout } from './layout.ts';
import { MANIFEST_FILE, MAX_MANIFEST_BYTES, readManifest, VERIFIED_FILE } from './manifest.ts';
import { FileTooLarge, namesIfAny, readSmallFile } from './small-file.ts';
import { guarded } from './store-error.ts';
import type { CheckpointEntry, Manifest } from './types.ts';

type Place = CheckpointEntry['place'];

/**
 * Every checkpoint, newest sequence first; those of the session before its backups. A directory that is missing
 * holds none. Backups that cannot be read are left out: they are the last resort, and must not keep a session from
 * its own checkpoints.
 * @throws NkatError `io` when the session's directory cannot be read
 */
export async function listCheckpoints(files: StoreFiles, layout: StoreLayout): Promise<CheckpointEntry[]> {
  const session = await listSession(files, layout);
  try {
    return [...session, ...(await listPlace(files, layout.backups, 'backup'))];
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return session;
  }
}

/** Only those in the session's own directory. @throws NkatError `io` */
export function listSession(files: StoreFiles, layout: StoreLayout): Promise<CheckpointEntry[]> {
  return guarded('list the checkpoints', layout.directory, () => listPlace(files, layout.directory, 'session'));
}

/** @throws the system's error when the directory cannot be read */
export async function listPlace(files: StoreFiles, directory: string, place: Place): Promise<CheckpointEntry[]> {
  const belongs = place === 'session' ? looksLikeCheckpoint : (name: string) => parseBackupName(name) !== null;
  const names = await namesIfAny(files, directory);
  const entries: CheckpointEntry[] = [];
  for (const name of names.filter(belongs)) entries.push(await entryAt(files, join(directory, name), name, place));
  return entries.sort(newestFirst);
}

/** Order of checkpoints: by sequence, and by claim where a fenced process made the same one. */
export function newestFirst(a: CheckpointEntry, b: CheckpointEntry): number {
  const byClaim = (b.manifest?.claim ?? 0) - (a.manifest?.claim ?? 0);
  return b.sequence - a.sequence || byClaim || (a.name < b.name ? 1 : -1);
}

async function entryAt(files: StoreFiles, path: string, name: string, place: Place): Promise<CheckpointEntry> {
  const named = place === 'session' ? parseCheckpointName(name) : parseBackupName(name);
  const manifest = await manifestAt(files, path);
  return {
    path,
    name,
    sequence: manifest?.sequence ?? named?.sequence ?? 0,
    step: manifest?.step ?? named?.step ?? null,
    manifest,
    verified: await exists(files, join(path, VERIFIED_FILE)),
    place,
  };
}

/** Null for anything that hinders reading it: verification says what it is. */
async function manifestAt(files: StoreFiles, path: string): Promise<Manifest | null> {
  try {
    const read = readManifest(await readSmallFile(files, join(path, MANIFEST_FILE), MAX_MANIFEST_BYTES));
    return read.status === 'ok' ? read.manifest : null;
  } catch (error) {
    if (errnoOf(error) !== null || error instanceof FileTooLarge) return null;
    throw error;
  }
}

async function exists(files: StoreFiles, path: string): Promise<boolean> {
  try {
    await files.facts(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}
