/** Reads one output file as it grows and gives the space behind back. */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { BoundedLines } from '../bounded-lines.ts';
import { errnoOf } from '../errors.ts';
import type { PunchHole } from './punch-hole.ts';

export interface FollowLimits {
  /** Longest line; the rest of a longer one is cut. */
  readonly lineBytes: number;
  /** Read at once; the event loop turns between two slices. */
  readonly sliceBytes: number;
  /** How much is read before the space behind is given back. */
  readonly releaseBytes: number;
  /** Farthest that the tail may be behind the writer; past it all but the newest half of this is dropped and counted. */
  readonly backlogBytes: number;
}

/** Kept before the place of reading, for the last lines that an adopting supervisor shows. */
export const KEPT_BYTES = 64 * 1024;
/** How often it is looked how far the writer is ahead: much later, and a fast one has filled the disk by then. */
const LOOK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
/** Holes are made of whole blocks. */
const BLOCK_BYTES = 4096;

export class OutputFollower {
  readonly #path: string;
  readonly #limits: FollowLimits;
  readonly #punch: PunchHole;
  readonly #deliver: (line: string) => void;
  readonly #onDropped: (bytes: number) => void;
  readonly #onError: (error: unknown) => void;
  readonly #lines: BoundedLines;
  readonly #slice: Buffer;
  #handle: FileHandle | null = null;
  #opening: Promise<FileHandle | null> | null = null;
  #position: number;
  #releasedTo = 0;
  #unlookedBytes = 0;
  #canPunch = true;
  #again = false;
  #closing = false;
  #pump: Promise<void> | null = null;
  #waiting: { readonly target: number; readonly resolve: () => void }[] = [];

  constructor(options: {
    readonly path: string;
    readonly start: number;
    readonly limits: FollowLimits;
    readonly punch: PunchHole;
    readonly deliver: (line: string) => void;
    readonly onDropped: (bytes: number) => void;
    readonly onError: (error: unknown) => void;
  }) {
    this.#path = options.path;
    this.#position = options.start;
    this.#limits = options.limits;
    this.#punch = options.punch;
    this.#deliver = options.deliver;
    this.#onDropped = options.onDropped;
    this.#onError = options.onError;
    this.#lines = new BoundedLines(options.limits.lineBytes);
    this.#slice = Buffer.allocUnsafe(options.limits.sliceBytes);
  }

  /** Where a later reader has to start so that it misses no line. */
  get offset(): number {
    return Math.max(0, this.#position - this.#lines.unfinishedBytes);
  }

  /** Reads what is new. Cheap to call for each of a flood of notifications. */
  wake(): void {
    this.#again = true;
    this.#pump ??= this.#run();
  }

  /** Everything that is in the file now is delivered, a last line without newline too. Not what comes later. */
  async drain(): Promise<void> {
    const target = await this.#reachable();
    if (this.#position < target && !this.#closing) {
      const reached = new Promise<void>((resolve) => this.#waiting.push({ target, resolve }));
      this.wake();
      await reached;
    }
    const rest = this.#lines.finish();
    if (rest !== null) this.#deliver(rest);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#pump;
    await this.#opening?.catch(this.#onError);
    await this.#handle?.close();
    this.#handle = null;
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#closing) {
        this.#again = false;
        await this.#readToEnd();
      }
    } catch (error) {
      // Read again at the next notification or poll.
      this.#onError(error);
    } finally {
      this.#pump = null;
      this.#settle(Number.POSITIVE_INFINITY);
      if (this.#again && !this.#closing) this.wake();
    }
  }

  async #readToEnd(): Promise<void> {
    const handle = await this.#open();
    if (handle === null) return;
    while (!this.#closing) {
      const { bytesRead } = await handle.read(this.#slice, 0, this.#slice.length, this.#position);
      if (bytesRead === 0) {
        if ((await this.#size()) >= this.#position) return;
        // Somebody truncated it; what is there now was written after that.
        this.#breakOff();
        this.#position = 0;
        this.#releasedTo = 0;
        continue;
      }
      this.#position += bytesRead;
      for (const line of this.#lines.push(this.#slice.subarray(0, bytesRead))) this.#deliver(line);
      this.#unlookedBytes += bytesRead;
      if (this.#unlookedBytes >= Math.min(LOOK_BYTES, this.#limits.releaseBytes)) await this.#dropBacklog(handle);
      if (this.offset - this.#releasedTo >= this.#limits.releaseBytes) await this.#release(handle);
      this.#settle(this.#position);
    }
  }

  /** The newest half of what may wait is kept: whoever looks wants the end, and there is some time to the next drop. */
  async #dropBacklog(handle: FileHandle): Promise<void> {
    this.#unlookedBytes = 0;
    const size = await this.#size();
    if (size - this.#position <= this.#limits.backlogBytes) return;
    this.#breakOff();
    const kept = size - Math.floor(this.#limits.backlogBytes / 2);
    const { bytesRead } = await handle.read(this.#slice, 0, this.#slice.length, kept);
    // At the start of a line; -1 within a long one, the rest of which is shown.
    const start = kept + this.#slice.subarray(0, bytesRead).indexOf(NEWLINE) + 1;
    this.#onDropped(start - this.#position);
    this.#position = start;
  }

  async #release(handle: FileHandle): Promise<void> {
    if (this.#canPunch) {
      const end = this.offset - KEPT_BYTES;
      const length = end - (end % BLOCK_BYTES) - this.#releasedTo;
      this.#canPunch = length <= 0 || (await this.#punch(this.#path, this.#releasedTo, length));
      if (this.#canPunch) this.#releasedTo += Math.max(0, length);
    }
    if (!this.#canPunch) await this.#truncate(handle);
  }

  /**
   * Where no hole can be made: the whole file goes. At best at a moment when all of it was read; if the writer never
   * lets us catch up, with the rest, which is counted.
   */
  async #truncate(handle: FileHandle): Promise<void> {
    const unread = (await this.#size()) - this.#position;
    if (unread > 0 && this.#position < 2 * this.#limits.releaseBytes) return;
    await handle.truncate(0);
    this.#position = 0;
    this.#releasedTo = 0;
    if (unread <= 0) return;
    this.#breakOff();
    this.#onDropped(unread);
  }

  /** The line that is being read has lost its end. */
  #breakOff(): void {
    const rest = this.#lines.finish();
    if (rest !== null) this.#deliver(rest);
  }

  #settle(position: number): void {
    if (this.#waiting.length === 0) return;
    const settled = this.#waiting.filter(({ target }) => target <= position);
    this.#waiting = this.#waiting.filter(({ target }) => target > position);
    for (const { resolve } of settled) resolve();
  }

  /** What cannot be read keeps nobody waiting for the rest of an end: it is told, and left out. */
  async #reachable(): Promise<number> {
    try {
      return await this.#size();
    } catch (error) {
      this.#onError(error);
      return 0;
    }
  }

  async #size(): Promise<number> {
    const handle = await this.#open();
    return handle === null ? 0 : (await handle.stat()).size;
  }

  /** Null: the file is not there (yet), or the tail is being closed. */
  async #open(): Promise<FileHandle | null> {
    if (this.#handle !== null || this.#closing) return this.#handle;
    // Shared: the pump and a drain may both come first.
    this.#opening ??= openExisting(this.#path);
    try {
      this.#handle = await this.#opening;
      return this.#handle;
    } finally {
      this.#opening = null;
    }
  }
}

async function openExisting(path: string): Promise<FileHandle | null> {
  try {
    // For writing too: it may have to be truncated.
    return await open(path, constants.O_RDWR);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
