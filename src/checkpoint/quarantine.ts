/** Damaged checkpoints are moved aside with the reason beside them; once a newer one verifies, only the newest few stay. */
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../errors.ts';
import { Invalid, read, stored, string } from '../schema.ts';
import type { StoreFiles } from './files.ts';
import {
  looksLikeCheckpoint,
  makeDurableDirectory,
  parseBackupName,
  parseCheckpointName,
  QUARANTINE,
  type StoreLayout,
  sequenceInName,
} from './layout.ts';
import { FileTooLarge, freePath, namesIfAny, readTextIfAny, removeIfAny, writeNewFile } from './small-file.ts';
import { guarded } from './store-error.ts';
import { emptyTrash, moveToTrash } from './trash.ts';

/** How many stay in each quarantine. Source: design section 6, "Retention". */
const QUARANTINE_KEPT = 5;
const MAX_REASON_BYTES = 1024 * 1024;

export interface QuarantinedEntry {
  readonly path: string;
  readonly name: string;
  readonly sequence: number;
  readonly step: number | null;
  readonly reason: string;
  /** ISO 8601; null where the reason file is missing. */
  readonly at: string | null;
}

const reasonSchema = stored({ reason: string(MAX_REASON_BYTES), at: string(MAX_REASON_BYTES) });
const NO_REASON = { reason: 'reason not recorded', at: null };

/**
 * Moves a checkpoint of the session, or a backup of it, to the `.quarantine` of its own directory, durably. Returns
 * where it went. Nothing is deleted for it: see {@link pruneQuarantine}. @throws NkatError `io`, `no-space`
 */
export function quarantineCheckpoint(
  files: StoreFiles,
  _layout: StoreLayout,
  path: string,
  reason: string,
): Promise<string> {
  return guarded('quarantine the checkpoint', path, async () => {
    const directory = dirname(path);
    const quarantine = join(directory, QUARANTINE);
    await makeDurableDirectory(files, quarantine);
    const target = await freePath(files, quarantine, basename(path));
    const note = { reason, from: path, at: new Date().toISOString() };
    // The reason goes first: a quarantined checkpoint without one would be a riddle.
    await removeIfAny(files, reasonPath(target));
    await writeNewFile(files, reasonPath(target), Buffer.from(`${JSON.stringify(note, null, 2)}\n`));
    await files.rename(path, target);
    await files.syncDirectory(quarantine);
    await files.syncDirectory(directory);
    return target;
  });
}

/**
 * What the quarantines of session and backups hold, newest sequence first. That of backups which cannot be read is
 * left out: another disk's trouble must not keep a session from its own checkpoints. @throws NkatError `io`
 */
export function listQuarantine(files: StoreFiles, layout: StoreLayout): Promise<QuarantinedEntry[]> {
  return guarded('list the quarantine', layout.directory, async () => [
    ...(await entriesOf(files, join(layout.directory, QUARANTINE))),
    ...(await entriesIfReadable(files, join(layout.backups, QUARANTINE))),
  ]);
}

/**
 * Throws away all but the newest 5 of a directory's quarantine. Only for a session that has a newer checkpoint which
 * verifies: until then what is damaged may be all that there is. @throws the system's error
 */
export async function pruneQuarantine(files: StoreFiles, directory: string): Promise<void> {
  const old = (await entriesOf(files, join(directory, QUARANTINE))).slice(QUARANTINE_KEPT);
  for (const { path } of old) await trashQuarantined(files, path);
  if (old.length > 0) await emptyTrash(files, directory);
}

/** Throws one entry away for good. @throws the system's error */
export async function removeQuarantined(files: StoreFiles, path: string): Promise<void> {
  await trashQuarantined(files, path);
  await emptyTrash(files, dirname(dirname(path)));
}

/** The entry goes before its reason: one without a reason would be a riddle. */
async function trashQuarantined(files: StoreFiles, path: string): Promise<void> {
  await moveToTrash(files, dirname(dirname(path)), path);
  await removeIfAny(files, reasonPath(path));
}

async function entriesIfReadable(files: StoreFiles, quarantine: string): Promise<QuarantinedEntry[]> {
  try {
    return await entriesOf(files, quarantine);
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return [];
  }
}

async function entriesOf(files: StoreFiles, quarantine: string): Promise<QuarantinedEntry[]> {
  const names = await namesIfAny(files, quarantine);
  const entries: QuarantinedEntry[] = [];
  for (const name of names.filter(isEntry)) {
    const path = join(quarantine, name);
    const plain = name.replace(/~\d+$/, '');
    const step = (parseCheckpointName(plain) ?? parseBackupName(plain))?.step ?? null;
    entries.push({ path, name, sequence: sequenceInName(name) ?? 0, step, ...(await reasonOf(files, path)) });
  }
  return entries.sort((a, b) => b.sequence - a.sequence || (a.name < b.name ? 1 : -1));
}

function isEntry(name: string): boolean {
  return !name.endsWith('.json') && (looksLikeCheckpoint(name) || sequenceInName(name) !== null);
}

async function reasonOf(files: StoreFiles, path: string): Promise<{ reason: string; at: string | null }> {
  try {
    const text = await readTextIfAny(files, reasonPath(path), MAX_REASON_BYTES);
    const note = read(reasonSchema, JSON.parse(text ?? ''));
    return note instanceof Invalid ? NO_REASON : { reason: note.reason, at: note.at };
  } catch (error) {
    // A note for people: whatever became of it, it must not keep a session from its checkpoints.
    const isNoNote = error instanceof SyntaxError || error instanceof FileTooLarge;
    if (!isNoNote && errnoOf(error) === null) throw error;
    return NO_REASON;
  }
}

function reasonPath(quarantined: string): string {
  return `${quarantined}.reason.json`;
}
