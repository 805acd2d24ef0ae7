/**
 * The session's own copy of what must not be lost, `session.json`. It is written before anything that depends on it
 * happens; SQLite is told afterwards and may be lost.
 */
import type { StoreFiles } from '../checkpoint/files.ts';
import { rewriteSessionFile } from '../checkpoint/session-file.ts';
import type { SessionFile, SetAside } from '../checkpoint/types.ts';
import { NkatError } from '../errors.ts';
import { inTime, PATIENCE_MS } from './in-time.ts';

/** How far the newest attempt came, as far as anyone knows. */
export interface Reached {
  readonly step: number;
  /** When it was there, by the wall clock. */
  readonly at: Date;
  /** The same in time of work; null: an earlier supervisor knew, and this one was not there. */
  readonly atMs: number | null;
}

/** A commit that this supervisor heard of, or went on from. */
interface KnownCommit {
  readonly sequence: number;
  /** In time of work: monotonic, and it stands still while nothing is trained. Going back turns it back. */
  readonly atMs: number;
}

/** What training goes on from. */
export interface GoneBack {
  readonly sequence: number;
  readonly step: number;
  readonly createdAt: string;
}

/** More steps back than the restart policy ever takes. */
const KEPT_COMMITS = 16;

export class SessionRecord {
  #file: SessionFile;
  #written: string;
  #reached: Reached;
  #commits: readonly KnownCommit[] = [];
  /** The newest of them that was gone back to. */
  #base: { readonly createdAt: string; readonly atMs: number } | null = null;
  /** What the time of work is behind the monotonic clock. */
  #idleMs = 0;
  readonly #files: StoreFiles;
  readonly #directory: string;
  readonly #now: () => Date;
  readonly #nowMs: () => number;
  readonly #patienceMs: number;
  #writing: Promise<void> = Promise.resolve();
  #hangs = false;

  /** @param patienceMs how long one write is waited for */
  constructor(
    files: StoreFiles,
    directory: string,
    file: SessionFile,
    now: () => Date,
    nowMs: () => number,
    patienceMs = PATIENCE_MS,
  ) {
    this.#patienceMs = patienceMs;
    this.#files = files;
    this.#directory = directory;
    this.#file = file;
    this.#written = fingerprint(file);
    this.#reached = { step: file.lastStep, at: new Date(file.updatedAt), atMs: null };
    this.#now = now;
    this.#nowMs = nowMs;
  }

  get file(): SessionFile {
    return this.#file;
  }

  /** What a crash now would be measured against; a step that is trained again counts anew. */
  get reached(): Reached {
    return this.#reached;
  }

  /** The newest attempt starts at, or came to, this step. */
  reach(step: number): void {
    this.#reachAt({ step, at: this.#now(), atMs: this.#workMs() });
  }

  /** What came after this checkpoint is lost and told; what is lost later is measured from here. */
  goBackTo(point: GoneBack): void {
    const { sequence, step, createdAt } = point;
    const atMs = this.#workAt(point) ?? this.#workMs();
    this.#base = { createdAt, atMs };
    if (!this.#commits.some((commit) => commit.sequence === sequence)) this.#know({ sequence, atMs });
    this.#reachAt({ step, at: new Date(createdAt), atMs });
  }

  /** The newest attempt trains from here on: what passed since the crash was no work. */
  start(step: number): void {
    if (this.#base !== null) this.#idleMs = this.#nowMs() - this.#base.atMs;
    this.reach(step);
  }

  /** An earlier supervisor saw it come to this step. */
  reachedBefore(step: number, at: Date): void {
    this.#reachAt({ step, at, atMs: null });
  }

  /**
   * Training time between a checkpoint and what was reached, in milliseconds. By the monotonic clock where we saw both: the
   * wall clock may have been set in between.
   */
  lostMsSince(point: Pick<GoneBack, 'sequence' | 'createdAt'>): number {
    const { at, atMs } = this.#reached;
    const commitMs = this.#workAt(point);
    const lostMs = atMs !== null && commitMs !== null ? atMs - commitMs : at.getTime() - Date.parse(point.createdAt);
    return Math.max(0, lostMs);
  }

  #workMs(): number {
    return this.#nowMs() - this.#idleMs;
  }

  /** When a checkpoint was committed, in time of work; null: nobody here saw it, nor went back to a later one. */
  #workAt({ sequence, createdAt }: Pick<GoneBack, 'sequence' | 'createdAt'>): number | null {
    const known = this.#commits.find((commit) => commit.sequence === sequence);
    if (known !== undefined) return known.atMs;
    if (this.#base === null) return null;
    return this.#base.atMs - (Date.parse(this.#base.createdAt) - Date.parse(createdAt));
  }

  #know(commit: KnownCommit): void {
    this.#commits = [...this.#commits.slice(1 - KEPT_COMMITS), commit];
  }

  #reachAt(reached: Reached): void {
    const { step } = reached;
    this.#reached = reached;
    if (step > this.#file.lastStep) this.change({ lastStep: step });
  }

  get setAside(): ReadonlySet<number> {
    return new Set(this.#file.setAside.map(({ sequence }) => sequence));
  }

  /** Changes the copy in memory; `persist` makes it durable. */
  change(patch: Partial<Omit<SessionFile, 'version' | 'id' | 'createdAt'>>): void {
    this.#file = { ...this.#file, ...patch };
  }

  addSetAside(entry: SetAside): void {
    this.change({ setAside: [...this.#file.setAside, entry] });
  }

  /**
   * The newest commit only ever rises.
   * @param ageMs since its step was made: a save takes a while to be durable, and training goes on meanwhile
   */
  noteCommit(sequence: number, step: number, ageMs = 0): void {
    this.#know({ sequence, atMs: this.#workMs() - ageMs });
    if (sequence > (this.#file.lastCommit?.sequence ?? -1)) this.change({ lastCommit: { sequence, step } });
  }

  /**
   * Durable when it resolves; does nothing when nothing changed. Bounded: a disk that hangs (a server that is gone) keeps
   * one write, whose outcome nobody waits for, and every later call is refused at once until it answers.
   *
   * @throws NkatError `io`, `no-space`
   */
  async persist(): Promise<void> {
    const next = fingerprint(this.#file);
    if (next === this.#written) return;
    if (this.#hangs) throw this.#unanswered();
    this.#file = { ...this.#file, updatedAt: this.#now().toISOString() };
    // One after the other: the newest must be the last.
    const before = this.#writing;
    const file = this.#file;
    const writing = before.then(() => rewriteSessionFile(this.#files, this.#directory, file));
    this.#writing = writing.catch(() => undefined);
    await this.#inTime(writing);
    this.#written = next;
  }

  async #inTime(writing: Promise<void>): Promise<void> {
    if ((await inTime(writing, this.#patienceMs)) !== 'late') return;
    this.#hangs = true;
    void this.#writing.then(() => {
      this.#hangs = false;
    });
    throw this.#unanswered();
  }

  #unanswered(): NkatError {
    return new NkatError(`the disk has not answered for more than ${this.#patienceMs / 1_000} s`, {
      code: 'io',
      operation: 'write the session',
      path: this.#directory,
      hint: 'See dmesg: a disk, or the network to it, hangs.',
    });
  }
}

/** `lastStep` alone is not worth a sync: it travels with the next change. */
function fingerprint({ updatedAt: _, lastStep: __, ...rest }: SessionFile): string {
  return JSON.stringify(rest);
}
