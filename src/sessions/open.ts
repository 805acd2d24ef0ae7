import { NkatError } from '../errors.ts';
import { type DatabaseOptions, SessionsDatabase } from './database.ts';
import { defaultFileOptions, openFile } from './open-file.ts';
import { troubleOf } from './sqlite-errors.ts';

export interface OpenedSessions {
  readonly database: SessionsDatabase;
  /** Where a damaged database went that stood here before: then the new one wants to be re-indexed. */
  readonly setAside: string | null;
}

/**
 * Opens the session database, made if need be. A damaged one is set aside; on a disk that gives no room for one it
 * lives in memory until there is some (`database.degraded` says so).
 * @throws NkatError 'database-newer' for a file of a newer nkat-recover, 'io' when the file may not be opened.
 */
export function openSessions(path: string, options: DatabaseOptions = {}): OpenedSessions {
  try {
    const file = openFile(path, { ...defaultFileOptions, ...options });
    return { database: new SessionsDatabase(path, file, options), setAside: file.setAside };
  } catch (error) {
    if (error instanceof NkatError || troubleOf(error) !== 'no-disk') throw error;
    const unavailable = error instanceof Error ? error.message : String(error);
    return { database: new SessionsDatabase(path, { unavailable }, options), setAside: null };
  }
}
