import type { StoreFiles } from '../checkpoint/files.ts';
import { NkatError } from '../errors.ts';
import type { SessionsDatabase } from '../sessions/database.ts';
import type { SessionRow } from '../sessions/types.ts';

/**
 * The session that a person means, as new as its directory: an old one may have trained on without a word to the index.
 *
 * @throws NkatError `session-not-found`, `session-ambiguous`
 */
export async function resolveSession(files: StoreFiles, database: SessionsDatabase, word: string): Promise<SessionRow> {
  return refreshed(files, database, database.sessions.resolve(word));
}

/** The row once more, after a look into its directory. One that cannot be read stays as it is: its user says why. */
export async function refreshed(files: StoreFiles, database: SessionsDatabase, row: SessionRow): Promise<SessionRow> {
  const { refreshSession } = await import('../supervisor/reindex.ts');
  try {
    await refreshSession(database, files, row.root, row.id);
  } catch (error) {
    if (!(error instanceof NkatError)) throw error;
  }
  return database.sessions.find(row.id) ?? row;
}
