/**
 * The index while it is open. It is only an index, so nothing that goes wrong with it may stop a run: a busy file is
 * tried again without holding the event loop, a full disk is waited for with the writes kept in memory, and a file that
 * was deleted or damaged under us makes way for a new one.
 */
import type { Database } from 'better-sqlite3';
import type { DatabaseOptions } from './database-options.ts';
import { KeptWrites } from './kept-writes.ts';
import { isNewer } from './migrations.ts';
import {
  BUSY_TIMEOUT_MS,
  defaultFileOptions,
  type FileOptions,
  inodeAt,
  markDamaged,
  type OpenFile,
  openFile,
  openInMemory,
} from './open-file.ts';
import { SideFiles } from './side-files.ts';
import { type Trouble, troubleOf } from './sqlite-errors.ts';
import { type Tables, tablesOf } from './tables.ts';
import { type Disk, runBatch, type Write, type WriteOutcome } from './write-batch.ts';

/** Writes of one transaction when there are many. */
const BATCH = 500;
const BUSY_PAUSE_MS = 200;
const DISK_PAUSE_MS = 1_000;
/** After this long the caller goes on, and the write is kept like on a full disk. */
const BUSY_LIMIT_MS = 10_000;
/** Tries at the end, each of which waits for the busy time-out. */
const CLOSING_TRIES = 20;

export class SessionsDatabase {
  readonly path: string;
  readonly #options: DatabaseOptions;
  readonly #fileOptions: FileOptions;
  readonly #monotonicMs: () => number;
  #disk: Disk | null;
  /** Stands in while no file could be opened at all. */
  #memory: { readonly database: Database; readonly tables: Tables } | null = null;
  #sideFiles: SideFiles;
  readonly #writes: KeptWrites;
  #degraded: string | null = null;
  #busySinceMs: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** The file that we had open last; null: none yet. */
  #inode: bigint | null = null;
  /** Another file stands where ours did, or none: what the next opening finds is not what we wrote. */
  #moved = false;
  #draining = false;
  #closed = false;

  /** @param opened what `openFile` gave; or why the disk gives no file, to go on in memory, with what it said. */
  constructor(
    path: string,
    opened: OpenFile | { readonly unavailable: string; readonly snapshot: Database | null },
    options: DatabaseOptions = {},
  ) {
    this.path = path;
    this.#sideFiles = new SideFiles(path);
    this.#options = options;
    this.#writes = new KeptWrites((reason) => options.onNews?.({ kind: 'dropped', reason }));
    // What is busy when it is opened anew is tried again later, like a write.
    this.#fileOptions = { ...defaultFileOptions, ...options, busyMs: BUSY_TIMEOUT_MS };
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    if ('unavailable' in opened) {
      this.#disk = null;
      const { snapshot } = opened;
      if (snapshot !== null) this.#memory = { database: snapshot, tables: tablesOf(snapshot) };
      this.#degrade(opened.unavailable);
    } else {
      this.#disk = { file: opened, tables: tablesOf(opened.database) };
      this.#inode = opened.inode;
      this.#sideFiles.note();
    }
  }

  /** Why writes are kept in memory at the moment; null: they reach the disk. */
  get degraded(): string | null {
    return this.#degraded;
  }

  /** Not to be kept: the file behind it can be replaced. */
  get tables(): Tables {
    if (this.#disk !== null) return this.#disk.tables;
    if (this.#memory === null) {
      const database = openInMemory();
      this.#memory = { database, tables: tablesOf(database) };
    }
    return this.#memory.tables;
  }

  get sessions(): Tables['sessions'] {
    return this.tables.sessions;
  }
  get attempts(): Tables['attempts'] {
    return this.tables.attempts;
  }
  get checkpoints(): Tables['checkpoints'] {
    return this.tables.checkpoints;
  }
  get transitions(): Tables['transitions'] {
    return this.tables.transitions;
  }
  get events(): Tables['events'] {
    return this.tables.events;
  }
  get saves(): Tables['saves'] {
    return this.tables.saves;
  }
  get gpuSamples(): Tables['gpuSamples'] {
    return this.tables.gpuSamples;
  }

  get drills(): Tables['drills'] {
    return this.tables.drills;
  }

  /**
   * What a query says of the file that stands there now, or `otherwise` where that is busy, failing, newer or damaged:
   * for who must go on whatever becomes of the index. The query has no effects. Throws only for bugs in it.
   */
  read<T>(query: (tables: Tables) => T, otherwise: T): T {
    try {
      return query(this.#disk === null ? this.tables : this.#currentDisk().tables);
    } catch (error) {
      const trouble = this.#troubleHere(error);
      if (trouble === 'other') throw error;
      if (trouble === 'damaged' || trouble === 'moved') this.#obstacle(trouble, error, []);
      return otherwise;
    }
  }

  /**
   * Runs writes in one transaction, after all earlier ones. When nothing is in the way that happens at once, before
   * this returns. The work may run more than once and later, so it captures values and has no other effects; it uses
   * the tables it is given, or this database's getters.
   *
   * Never rejects for busy, full, failing, deleted or damaged files; only for bugs in the work.
   */
  write(work: (tables: Tables) => void): Promise<WriteOutcome> {
    if (this.#closed) return Promise.reject(new Error('the session database is closed'));
    if (this.#disk === null) {
      try {
        work(this.tables);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return new Promise((resolve, reject) => {
      this.#writes.keep({ work, settle: { resolve, reject } });
      // A write from inside a write, or from a listener, follows those before it.
      if (this.#draining) return;
      if (this.#timer === null) this.#drain();
      else if (this.#degraded !== null) this.#writes.releaseCallers();
      else this.#timer.ref();
    });
  }

  /** Writes what is left, as far as the disk allows, and closes. @returns how many writes were lost. */
  close(): { readonly lost: number } {
    if (this.#closed) return { lost: this.#writes.lost };
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (let tries = 0; !this.#writes.isEmpty && tries < CLOSING_TRIES; tries += 1) {
      if (this.#drainOnce() === 'no-disk') break;
    }
    this.#closed = true;
    this.#writes.giveUp();
    this.#leaveDisk();
    this.#memory?.database.close();
    return { lost: this.#writes.lost };
  }

  #drain(): void {
    this.#draining = true;
    let trouble: Trouble | null = null;
    try {
      while (!this.#writes.isEmpty && trouble !== 'busy' && trouble !== 'no-disk') trouble = this.#drainOnce();
    } finally {
      this.#draining = false;
    }
    if (trouble === 'busy') this.#pause(BUSY_PAUSE_MS);
    if (trouble === 'no-disk') this.#pause(DISK_PAUSE_MS);
  }

  /** One transaction with the oldest writes; what is in the way, if anything is. */
  #drainOnce(): Trouble | null {
    const batch = this.#writes.oldest(BATCH);
    let failures: ReadonlyMap<Write, unknown>;
    try {
      failures = this.#runOn(this.#currentDisk(), batch);
    } catch (error) {
      return this.#obstacle(this.#troubleHere(error), error, batch);
    }
    this.#busySinceMs = null;
    this.#writes.done(batch, failures);
    if (this.#degraded !== null && this.#writes.isEmpty) this.#recover(batch.length);
    return null;
  }

  /** What does not fit into the tables of a newer version, which came under us, is no damage. */
  #troubleHere(error: unknown): Trouble {
    const trouble = troubleOf(error);
    if (trouble !== 'damaged' || this.#disk === null) return trouble;
    return isNewer(this.#disk.file.database) ? 'no-disk' : trouble;
  }

  #obstacle(trouble: Trouble, error: unknown, batch: readonly Write[]): Trouble {
    const reason = error instanceof Error ? error.message : String(error);
    if (trouble === 'busy') {
      this.#busySinceMs ??= this.#monotonicMs();
      if (this.#monotonicMs() - this.#busySinceMs > BUSY_LIMIT_MS) this.#degrade(reason);
    } else if (trouble === 'no-disk') {
      this.#degrade(reason);
    } else if (trouble === 'damaged' || trouble === 'moved') {
      if (trouble === 'moved') this.#moved = true;
      else if (this.#disk !== null) markDamaged(this.path, this.#disk.file.inode);
      this.#leaveDisk();
    } else {
      // Not one write's own failure but that of opening or of the transaction: nobody should wait for it again.
      this.#writes.done(batch, new Map(batch.map((write) => [write, error])));
    }
    return trouble;
  }

  /** The connection, to the file that stands at our path now. */
  #currentDisk(): Disk {
    if (this.#disk !== null && inodeAt(this.path) === this.#disk.file.inode) {
      if (!this.#sideFiles.areLost) return this.#disk;
      // Only where the file itself is still ours: the log beside another one is not our business.
      this.#sideFiles.save(this.#disk.file.database);
    } else if (this.#disk !== null) {
      this.#moved = true;
    }
    // Closed before the new one is open. Both may share a side file, and the kernel drops all locks of a process on a
    // file with the first descriptor that it closes: others would take the shared memory for left behind and cut it
    // off under our feet (SIGBUS). Source: sqlite.org/howtocorrupt.html, "Posix advisory locks canceled".
    this.#leaveDisk();
    const file = openFile(this.path, this.#fileOptions);
    // The number of the old file may have been given to the new one.
    const replaced = this.#moved || (this.#inode !== null && this.#inode !== file.inode);
    this.#moved = false;
    this.#inode = file.inode;
    this.#disk = { file, tables: tablesOf(file.database) };
    this.#sideFiles = new SideFiles(this.path);
    this.#sideFiles.note();
    this.#memory?.database.close();
    this.#memory = null;
    if (replaced || file.setAside !== null) {
      const refill = this.#options.refill;
      if (refill !== undefined) runBatch(this.#disk, [{ work: refill, settle: null }]);
      this.#options.onNews?.({ kind: 'replaced', setAside: file.setAside });
    }
    return this.#disk;
  }

  #runOn(disk: Disk, batch: readonly Write[]): ReadonlyMap<Write, unknown> {
    const failures = runBatch(disk, batch);
    this.#sideFiles.note();
    return failures;
  }

  #leaveDisk(): void {
    if (this.#disk !== null) this.#sideFiles.close(this.#disk.file.database);
    this.#disk = null;
  }

  #degrade(reason: string): void {
    this.#writes.releaseCallers();
    if (this.#degraded !== null) return;
    this.#degraded = reason;
    this.#options.onNews?.({ kind: 'degraded', reason });
  }

  #recover(written: number): void {
    this.#degraded = null;
    this.#options.onNews?.({ kind: 'recovered', written, lost: this.#writes.lost });
  }

  #pause(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#drain();
    }, ms);
    // Only while somebody waits for the outcome may this keep the process alive.
    if (this.#degraded !== null) this.#timer.unref();
  }
}
