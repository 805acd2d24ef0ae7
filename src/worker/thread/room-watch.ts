/**
 * Watches a disk that had no room for a save, until it has: then the training loop is told, and saves again. The
 * operator hears of it once when it begins, rarely while it lasts, and once when a save went through again.
 */
import type { StoreFiles } from '../../checkpoint/files.ts';
import type { StoreLayout } from '../../checkpoint/layout.ts';
import { hasRoom } from '../../checkpoint/space.ts';
import { NO_ROOM_HINT } from '../../checkpoint/store-error.ts';
import { aboutDuration } from '../../units.ts';

/** How often the free bytes are looked at: a statfs. */
const LOOK_MS = 1_000;
/** Where a save fails although there seemed to be room, the next one waits: this long, doubling... */
const RETRY_MS = 1_000;
/** ...up to this. */
const RETRY_MAX_MS = 60_000;
/** How often the operator is reminded. */
const REMIND_MS = 1_800_000;
/** What the files beside the tensors need. */
const SMALL_FILES_BYTES = 64 * 1024;

export interface RoomNews {
  readonly available: boolean;
  readonly message: string;
  readonly hint: string | null;
}

export interface RoomWatchOptions {
  readonly files: StoreFiles;
  readonly layout: () => StoreLayout;
  readonly mode: () => 'continue' | 'pause';
  /** To the training loop: a save may be tried. */
  readonly onRoom: () => void;
  /** To the operator. */
  readonly tell: (news: RoomNews) => void;
  /** Monotonic, in milliseconds. */
  readonly nowMs: () => number;
  /** Calls back once after this time; another clock in tests. */
  readonly later: (ms: number, work: () => void) => void;
}

export class RoomWatch {
  readonly #options: RoomWatchOptions;
  /** Since when no save has gone through; null: all is well. */
  #sinceMs: number | null = null;
  #news: RoomNews | null = null;
  #toldMs = 0;
  #bytes = 0;
  #failures = 0;
  #notBeforeMs = 0;
  #looking = false;

  constructor(options: RoomWatchOptions) {
    this.#options = options;
  }

  /** A save of this size found no room. @param why of the failure, for the operator @param hint what helps */
  failed(bytes: number, why: string, hint: string | null): void {
    const { nowMs, mode } = this.#options;
    const now = nowMs();
    this.#bytes = Math.max(this.#bytes, bytes + SMALL_FILES_BYTES);
    this.#notBeforeMs = now + Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** this.#failures);
    this.#failures++;
    if (this.#sinceMs === null) {
      this.#sinceMs = now;
      this.#tell(noRoom(this.#options.layout().directory, why, hint ?? NO_ROOM_HINT, mode()));
    }
    this.#look();
  }

  /** A save is durable. @param bytes of the checkpoint */
  durable(bytes: number): void {
    this.#bytes = bytes;
    this.#failures = 0;
    if (this.#sinceMs === null) return;
    const forMs = this.#options.nowMs() - this.#sinceMs;
    this.#sinceMs = null;
    this.#tell({
      available: true,
      message: `There is room for checkpoints again after ${aboutDuration(Math.max(1_000, Math.round(forMs / 1_000) * 1_000))}: saves go on`,
      hint: null,
    });
    this.#news = null;
  }

  /** For a supervisor that was not there when it was told. */
  tellAgain(): void {
    if (this.#news !== null) this.#options.tell(this.#news);
  }

  #tell(news: RoomNews): void {
    this.#news = news;
    this.#toldMs = this.#options.nowMs();
    this.#options.tell(news);
  }

  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#options.later(LOOK_MS, () => void this.#lookNow());
  }

  async #lookNow(): Promise<void> {
    const { files, layout, nowMs, onRoom } = this.#options;
    const found = nowMs() >= this.#notBeforeMs && (await this.#hasRoom(files, layout()));
    this.#looking = false;
    if (this.#sinceMs === null) return;
    if (found) onRoom();
    else {
      if (this.#news !== null && nowMs() - this.#toldMs >= REMIND_MS) this.#tell(this.#news);
      this.#look();
    }
  }

  async #hasRoom(files: StoreFiles, layout: StoreLayout): Promise<boolean> {
    try {
      return await hasRoom(files, layout, this.#bytes);
    } catch {
      // Unmounted or failing: the save that is tried then says what it is.
      return true;
    }
  }
}

function noRoom(directory: string, why: string, hint: string, mode: 'continue' | 'pause'): RoomNews {
  const goesOn =
    mode === 'pause'
      ? 'training pauses until there is room'
      : 'training goes on without saves, and saves again when there is room';
  return {
    available: false,
    message: `No room for checkpoints in ${directory}: ${goesOn}. ${why}`,
    hint,
  };
}
