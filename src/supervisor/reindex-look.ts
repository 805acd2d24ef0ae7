/**
 * Which sessions under a root the index may not know as they are. Cheap whatever the history: a root whose list of
 * sessions did not change since it was last read whole is not listed, and then only those that may be changing are
 * looked at, with one stat each. Synchronous, because a look takes microseconds.
 */
import { type BigIntStats, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { SessionsDatabase } from '../sessions/database.ts';
import type { IndexedSession } from '../sessions/sessions-table.ts';

/** So many of the newest sessions are looked at whatever was recorded of them: a trainer may run alone. */
export const NEWEST_WATCHED = 100;
/** A root that changed within this time is listed again next time: a file system's clock ticks every 2 s at worst (FAT). */
const RACY_MS = 3_000;

export interface Candidate {
  readonly root: string;
  readonly id: string;
  /** Identifies the state of its directory; see {@link changeOf}. */
  readonly change: string;
}

export interface RootLook {
  readonly root: string;
  readonly candidates: readonly Candidate[];
  /** Sessions of the index whose directories are not there. */
  readonly absent: readonly string[];
  /** What to remember of the root once all candidates are in the index; null: nothing new, or nothing certain. */
  readonly listed: string | null;
}

export interface LookOptions {
  /** Every directory, whatever is recorded of it. */
  readonly everything?: boolean;
  /** How many of the newest sessions are looked at; default {@link NEWEST_WATCHED}. */
  readonly newest?: number;
  /** Wall clock. */
  readonly nowMs: number;
}

/** Null where the root is not there: an unmounted disk says nothing about its sessions. */
export function lookAtRoot(sessions: SessionsDatabase, root: string, options: LookOptions): RootLook | null {
  const { everything = false, newest = NEWEST_WATCHED, nowMs } = options;
  const change = changeOf(root);
  if (change === null) return null;
  const rows = sessions.sessions;
  if (!everything && sessions.tables.facts.find(factOf(root)) === change.text) {
    return { root, candidates: changed(root, rows.watchedUnder(root, newest)), absent: [], listed: null };
  }
  let names: string[];
  try {
    names = readdirSync(root);
  } catch (error) {
    // Not there any more, not ours to read, or its disk is gone.
    if (errnoOf(error) === null) throw error;
    return null;
  }
  const known = new Set(rows.idsUnder(root));
  const watched = new Map(rows.watchedUnder(root, newest).map((row) => [row.id, row]));
  const wanted: IndexedSession[] = [];
  for (const id of names) {
    if (id.startsWith('.')) continue;
    const isKnown = known.delete(id);
    if (everything || !isKnown) wanted.push({ id, change: null });
    else {
      const row = watched.get(id);
      if (row !== undefined) wanted.push(row);
    }
  }
  // Two changes within one tick of the clock look like one: only a root that has come to rest is remembered.
  const isSettled = nowMs - change.modifiedMs > RACY_MS;
  return { root, candidates: changed(root, wanted), absent: [...known], listed: isSettled ? change.text : null };
}

/** Those whose directories are there and not as they were when they were read. */
function changed(root: string, sessions: readonly IndexedSession[]): Candidate[] {
  return sessions.flatMap(({ id, change: indexed }) => {
    const change = changeOf(join(root, id))?.text ?? null;
    return change === null || change === indexed ? [] : [{ root, id, change }];
  });
}

/** Under which name the index remembers the state of a root whose sessions it all has. */
export function factOf(root: string): string {
  return `listed-root:${root}`;
}

/**
 * What changes whenever a checkpoint or `session.json` is put into, or taken out of, a directory; null: no directory.
 */
export function changeOf(directory: string): { readonly text: string; readonly modifiedMs: number } | null {
  const found = statIfAny(directory);
  if (found === null || !found.isDirectory()) return null;
  return { text: `${found.ino}:${found.mtimeNs}`, modifiedMs: Number(found.mtimeMs) };
}

function statIfAny(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
  } catch (error) {
    // Not ours to look at, or its disk is gone: then it says nothing about its sessions.
    if (errnoOf(error) === null) throw error;
    return null;
  }
}
