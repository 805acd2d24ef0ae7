/**
 * The files that SQLite keeps beside a database while it is open: the write-ahead log, where rows live until a
 * checkpoint, and the memory that all who have it open share. Deleted under an open connection, a log still takes our
 * rows and nobody else ever sees them; shared memory still takes our locks and nobody else ever heeds them.
 */
import { type BigIntStats, closeSync, ftruncateSync, openSync, statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { errnoOf } from '../errors.ts';
import { troubleOf } from './sqlite-errors.ts';

export class SideFiles {
  readonly #log: string;
  readonly #memory: string;
  #logInode: bigint | null = null;
  #memoryInode: bigint | null = null;
  #memoryBytes = 0n;

  /** @param path of the database */
  constructor(path: string) {
    this.#log = `${path}-wal`;
    this.#memory = `${path}-shm`;
  }

  /** To be called after the connection was used: both files are made by that, and the memory grows with the log. */
  note(): void {
    this.#logInode ??= factsOf(this.#log)?.ino ?? null;
    const memory = factsOf(this.#memory);
    if (memory === null || (this.#memoryInode !== null && memory.ino !== this.#memoryInode)) return;
    this.#memoryInode = memory.ino;
    if (memory.size > this.#memoryBytes) this.#memoryBytes = memory.size;
  }

  /** True when a file that we write to is not the one that stands there, or not whole: nobody else may touch either. */
  get areLost(): boolean {
    const isLogLost = this.#logInode !== null && factsOf(this.#log)?.ino !== this.#logInode;
    return isLogLost || this.#memoryCondition() !== 'ours';
  }

  /** Moves what only the lost log holds into the database, where our locks still keep others from doing the same. */
  save(database: Database): void {
    if (this.#memoryCondition() !== 'ours') return;
    try {
      database.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      if (troubleOf(error) === 'other') throw error;
    }
  }

  /**
   * Closes the connection. SQLite reads the shared memory for that, and what was cut off of a mapped file cannot be read:
   * the kernel would kill us (SIGBUS). So it gets its length back; SQLite finds zeros and reads the log anew.
   */
  close(database: Database): void {
    const descriptor = this.#memoryCondition() === 'cut' ? this.#lengthen() : null;
    try {
      database.close();
    } finally {
      // Not before: with any descriptor of a file that a process closes, the kernel drops all its locks on that file.
      if (descriptor !== null) closeSync(descriptor);
    }
  }

  #memoryCondition(): 'ours' | 'gone' | 'cut' {
    if (this.#memoryInode === null) return 'ours';
    const facts = factsOf(this.#memory);
    if (facts?.ino !== this.#memoryInode) return 'gone';
    return facts.size < this.#memoryBytes ? 'cut' : 'ours';
  }

  #lengthen(): number | null {
    try {
      const descriptor = openSync(this.#memory, 'r+');
      ftruncateSync(descriptor, Number(this.#memoryBytes));
      return descriptor;
    } catch (error) {
      // Taken away at this very moment.
      if (errnoOf(error) === null) throw error;
      return null;
    }
  }
}

function factsOf(path: string): BigIntStats | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
}
