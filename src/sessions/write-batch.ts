/** Writes of the index, many in one transaction. */

import { refuseNewer } from './migrations.ts';
import type { OpenFile } from './open-file.ts';
import { troubleOf } from './sqlite-errors.ts';
import type { Tables } from './tables.ts';

/** `queued`: kept in memory, written when the disk allows. `dropped`: its session is not in the index. */
export type WriteOutcome = 'written' | 'queued' | 'dropped';

export interface Write {
  readonly work: (tables: Tables) => void;
  /** Null once the caller has gone on. */
  settle: { resolve(outcome: WriteOutcome): void; reject(error: unknown): void } | null;
}

export interface Disk {
  readonly file: OpenFile;
  readonly tables: Tables;
}

/** All in one transaction, each in a savepoint: a write that fails by itself takes no other with it. */
export function runBatch(disk: Disk, batch: readonly Write[]): ReadonlyMap<Write, unknown> {
  const failures = new Map<Write, unknown>();
  const { database } = disk.file;
  const all = database.transaction(() => {
    for (const write of batch) {
      try {
        database.transaction(() => write.work(disk.tables))();
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble !== 'other' && trouble !== 'no-parent') throw error;
        // What a newer version that came under us wants of its rows is not known here: that is no bug in the work.
        if (trouble === 'other') refuseNewer(database);
        failures.set(write, error);
      }
    }
  });
  all.immediate();
  return failures;
}
