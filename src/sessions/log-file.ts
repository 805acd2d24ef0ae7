/**
 * The write-ahead log beside the database: rows live in it until a checkpoint. Deleted under an open connection, it
 * still takes our rows, and nobody else ever sees them.
 */
import type { Database } from 'better-sqlite3';
import { inodeAt } from './open-file.ts';
import { troubleOf } from './sqlite-errors.ts';

export class LogFile {
  readonly #path: string;
  #inode: bigint | null = null;

  /** @param path of the database */
  constructor(path: string) {
    this.#path = `${path}-wal`;
  }

  /** True when the log that we write to is not the one that stands there: nobody removes it while we have it open. */
  get isLost(): boolean {
    return this.#inode !== null && inodeAt(this.#path) !== this.#inode;
  }

  /** To be called after a write: the log is made by the first one. */
  note(): void {
    this.#inode ??= inodeAt(this.#path);
  }

  /** Moves what only the lost log holds into the database. False: it could not be saved. */
  save(database: Database): boolean {
    try {
      database.pragma('wal_checkpoint(TRUNCATE)');
      return true;
    } catch (error) {
      if (troubleOf(error) === 'other') throw error;
      return false;
    }
  }
}
