import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { NkatError } from '../errors.ts';
import { SessionsDatabase } from './database.ts';
import type { DatabaseOptions } from './database-options.ts';
import { defaultFileOptions, openFile } from './open-file.ts';
import { snapshotOf } from './snapshot.ts';
import { troubleOf } from './sqlite-errors.ts';

export interface OpenedSessions {
  readonly database: SessionsDatabase;
  /** Where a damaged database went that stood here before: then the new one wants to be re-indexed. */
  readonly setAside: string | null;
}

export interface OpeningOptions extends DatabaseOptions {
  /** Nothing will be written: a state home that is there and may only be read will do. */
  readonly reading?: boolean;
}

/**
 * Opens the session database, made if need be. A damaged one is set aside; on a disk that gives no room for one it
 * lives in memory until there is some (`database.degraded` says so), with what the file says if that may be read.
 * @throws NkatError 'database-newer' for a file of a newer nkat-recover, 'io' when the file may not be opened.
 */
export function openSessions(path: string, options: OpeningOptions = {}): OpenedSessions {
  try {
    const file = openFile(path, { ...defaultFileOptions, ...options });
    return { database: new SessionsDatabase(path, file, options), setAside: file.setAside };
  } catch (error) {
    if (error instanceof NkatError ? !mayRead(path, error, options) : troubleOf(error) !== 'no-disk') throw error;
    const unavailable = error instanceof Error ? error.message : String(error);
    const database = new SessionsDatabase(path, { unavailable, snapshot: snapshotOr(path, error) }, options);
    return { database, setAside: null };
  }
}

function mayRead(path: string, { code }: NkatError, { reading = false }: OpeningOptions): boolean {
  return reading && code === 'io' && existsSync(dirname(path));
}

/** @throws the refusal of the opening where the file may not be read either */
function snapshotOr(path: string, refusal: unknown): ReturnType<typeof snapshotOf> {
  try {
    return snapshotOf(path);
  } catch (error) {
    if (error instanceof NkatError) throw error;
    if (refusal instanceof NkatError) throw refusal;
    // A failing or full disk: the directories tell what they can.
    if (troubleOf(error) !== 'no-disk') throw error;
    return null;
  }
}
