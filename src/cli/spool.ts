/** What a program that reads slowly has not taken yet: on the disk, since memory would be all that grows else. */
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';

/** Bytes of a run's events that a reader may be behind. */
export const SPOOL_BYTES = 256 * 1024 * 1024;

/**
 * First in, first out, in one file that is used as a ring and never larger than its bound. It has no name, so that it is gone with
 * this process however that ends. Writes are synchronous: a flood slows its reader instead of piling up.
 */
export class Spool {
  readonly #directory: string;
  readonly #maxBytes: number;
  #descriptor: number | null = null;
  #writtenBytes = 0;
  #readBytes = 0;

  /** @param directory must be there; it is not touched before there is something to keep */
  constructor(directory: string, maxBytes = SPOOL_BYTES) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#writtenBytes - this.#readBytes;
  }

  get roomBytes(): number {
    return this.#maxBytes - this.length;
  }

  /** @returns false: it has no room, or the system refuses the write; nothing of it was kept then */
  push(bytes: Uint8Array): boolean {
    if (bytes.length > this.roomBytes) return false;
    try {
      const descriptor = this.#open();
      for (let done = 0; done < bytes.length; ) {
        const place = (this.#writtenBytes + done) % this.#maxBytes;
        const length = Math.min(bytes.length - done, this.#maxBytes - place);
        done += writeSync(descriptor, bytes, done, length, place);
      }
    } catch (error) {
      if (errnoOf(error) === null) throw error;
      return false;
    }
    this.#writtenBytes += bytes.length;
    return true;
  }

  /**
   * Takes the oldest bytes, at most as many as the target holds.
   *
   * @returns how many; 0 although there are some: they cannot be read any more
   */
  shift(target: Uint8Array): number {
    if (this.#descriptor === null || this.length === 0) return 0;
    const place = this.#readBytes % this.#maxBytes;
    const length = Math.min(target.length, this.length, this.#maxBytes - place);
    let count = 0;
    try {
      count = readSync(this.#descriptor, target, 0, length, place);
    } catch (error) {
      if (errnoOf(error) === null) throw error;
    }
    this.#readBytes += count;
    if (this.length === 0) this.#giveBack(this.#descriptor);
    return count;
  }

  /** What it holds is given up. */
  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    this.#writtenBytes = 0;
    this.#readBytes = 0;
  }

  #open(): number {
    if (this.#descriptor !== null) return this.#descriptor;
    const path = join(this.#directory, `unread-${process.pid}-${process.hrtime.bigint()}`);
    this.#descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return this.#descriptor;
  }

  /** The reader has caught up: the disk is not ours any longer. */
  #giveBack(descriptor: number): void {
    this.#writtenBytes = 0;
    this.#readBytes = 0;
    try {
      ftruncateSync(descriptor, 0);
    } catch (error) {
      // A disk that has gone: the next write will tell.
      if (errnoOf(error) === null) throw error;
    }
  }
}
