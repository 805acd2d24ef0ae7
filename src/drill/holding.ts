/** Keeps a session that trains on from rotating away what a drill reads. */
import type { StoreFiles } from '../checkpoint/files.ts';
import type { StoreLayout } from '../checkpoint/layout.ts';
import { listCheckpoints } from '../checkpoint/list.ts';
import { hold, removeDeadHolds } from '../checkpoint/pins.ts';
import type { CheckpointEntry } from '../checkpoint/types.ts';
import { errnoOf, NkatError } from '../errors.ts';
import type { Cleanup } from './cleanup.ts';

const REASON = 'a drill reads it';
/** A trainer cannot rotate faster than that for long: each save of its is synced. */
const TRIES = 8;
const READ_ONLY: ReadonlySet<string> = new Set(['EROFS', 'EACCES', 'EPERM']);

export class Holding {
  readonly #files: StoreFiles;
  readonly #layout: StoreLayout;
  readonly #cleanup: Cleanup;
  readonly #held = new Set<number>();
  #warning: string | null = null;

  constructor(files: StoreFiles, layout: StoreLayout, cleanup: Cleanup) {
    this.#files = files;
    this.#layout = layout;
    this.#cleanup = cleanup;
  }

  /** Why nothing could be held; null: all is. */
  get warning(): string | null {
    return this.#warning;
  }

  /** Before anything is held: what drills that were killed left. */
  removeDead(): Promise<void> {
    return this.#whereWritable(() => removeDeadHolds(this.#files, this.#layout));
  }

  /** @throws NkatError `io`, `no-space` but for a folder that may only be read */
  async hold(sequences: Iterable<number>): Promise<void> {
    for (const sequence of new Set(sequences)) {
      if (this.#warning !== null) return;
      if (this.#held.has(sequence)) continue;
      await this.#whereWritable(async () => {
        this.#cleanup.goOn();
        await this.#cleanup.add(await hold(this.#files, this.#layout, sequence, REASON));
        this.#held.add(sequence);
      });
    }
  }

  /**
   * What is there and held. A rotation that looked at the pins before ours may still take what was listed, and has then
   * kept what is newer: so it is listed again until nothing has come. @throws NkatError `io`, `no-space`
   */
  async holdListed(): Promise<readonly CheckpointEntry[]> {
    const tried = new Set<number>();
    for (let tries = 1; ; tries++) {
      const listed = await listCheckpoints(this.#files, this.#layout);
      const isKnown = listed.every(({ sequence }) => tried.has(sequence));
      if (isKnown || tries > TRIES) return listed;
      for (const { sequence } of listed) tried.add(sequence);
      await this.hold(tried);
    }
  }

  async #whereWritable(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof NkatError)) throw error;
      const errno = errnoOf(error.cause) ?? '';
      if (!READ_ONLY.has(errno)) throw error;
      const where = this.#layout.directory;
      this.#warning = `nothing could be held in ${where} (${errno}): a trainer elsewhere may rotate it away meanwhile`;
    }
  }
}
