/**
 * The session's own copy of what must not be lost, `session.json`. It is written before anything that depends on it
 * happens; SQLite is told afterwards and may be lost.
 */
import type { StoreFiles } from '../checkpoint/files.ts';
import { writeSessionFile } from '../checkpoint/session-file.ts';
import type { SessionFile, SetAside } from '../checkpoint/types.ts';

/** How far the newest attempt came, as far as anyone knows. */
export interface Reached {
  readonly step: number;
  /** When it was there, by the wall clock. */
  readonly at: Date;
}

export class SessionRecord {
  #file: SessionFile;
  #written: string;
  #reached: Reached;
  readonly #files: StoreFiles;
  readonly #directory: string;
  readonly #now: () => Date;

  constructor(files: StoreFiles, directory: string, file: SessionFile, now: () => Date) {
    this.#files = files;
    this.#directory = directory;
    this.#file = file;
    this.#written = fingerprint(file);
    this.#reached = { step: file.lastStep, at: new Date(file.updatedAt) };
    this.#now = now;
  }

  get file(): SessionFile {
    return this.#file;
  }

  /** What a crash now would be measured against; a step that is trained again counts anew. */
  get reached(): Reached {
    return this.#reached;
  }

  /** The newest attempt starts at, or came to, this step. */
  reach(step: number, at: Date = this.#now()): void {
    this.#reached = { step, at };
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

  /** The newest commit only ever rises. */
  noteCommit(sequence: number, step: number): void {
    if (sequence > (this.#file.lastCommit?.sequence ?? -1)) this.change({ lastCommit: { sequence, step } });
  }

  /**
   * Durable when it resolves; does nothing when nothing changed.
   *
   * @throws NkatError `io`, `no-space`
   */
  async persist(): Promise<void> {
    const next = fingerprint(this.#file);
    if (next === this.#written) return;
    this.#file = { ...this.#file, updatedAt: this.#now().toISOString() };
    await writeSessionFile(this.#files, this.#directory, this.#file);
    this.#written = next;
  }
}

/** `lastStep` alone is not worth a sync: it travels with the next change. */
function fingerprint({ updatedAt: _, lastStep: __, ...rest }: SessionFile): string {
  return JSON.stringify(rest);
}
