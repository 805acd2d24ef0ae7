/** One of our own streams: its errors end nothing, and a reader that is slow or stands still costs little memory. */
import { errnoOf } from '../errors.ts';
import type { Spool } from './spool.ts';

/** What may wait for a terminal that stands still, in bytes. */
const TERMINAL_BYTES = 256 * 1024;
/**
 * For the reader of a pipe that is too slow (a pager that waits): what is only shown in passing is left out beyond this. It is
 * in the session's log. Memory would be all that grows else.
 */
const PASSING_BYTES = 4 * 1024 * 1024;
/** What else we say; a program may count on all of it. */
const KEPT_BYTES = 16 * 1024 * 1024;
/** With a spool, no more than this waits in memory. */
const SPOOLED_FROM_BYTES = 1024 * 1024;
/** Small texts are gathered up to this: a queue of as many strings and their records would be most of our memory. */
const BLOCK_BYTES = 64 * 1024;
/** Longest UTF-8 of one UTF-16 unit. */
const MAX_BYTES_A_UNIT = 3;

/** A reader that went away has read enough (`| head -1`), and a terminal that closed has nobody before it. */
const LEFT: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET']);

/** The part of a `WriteStream` that is used. */
export interface TextStream {
  /** @param taken called when the reader took it, or an error came */
  write(bytes: string | Uint8Array, taken?: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'drain', listener: () => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** Bytes that the reader has not taken yet. */
  readonly writableLength?: number;
}

/** `passing`: left out, and counted, where the reader does not keep up. `drawn`: the same, and not counted. */
export type Worth = 'passing' | 'kept' | 'drawn';

export class GuardedStream {
  readonly #stream: TextStream;
  readonly #mayWrite: () => boolean;
  readonly #listeners: (() => void)[] = [];
  #waiting: (() => void)[] = [];
  #lost = false;
  #failure: string | null = null;
  #leftOut = 0;
  /** Gathered texts, flushed at the latest in the next turn of the event loop. */
  #block = Buffer.alloc(0);
  #blockBytes = 0;
  #blockCharacters = 0;
  #flush: NodeJS.Immediate | null = null;
  #spool: Spool | null = null;
  /** Behind what is spooled, for a disk that took no more. */
  #afterSpool: Uint8Array[] = [];
  #afterSpoolBytes = 0;

  constructor(stream: TextStream, mayWrite: () => boolean) {
    this.#stream = stream;
    this.#mayWrite = mayWrite;
    stream.on('error', (error) => {
      if (this.#lost) return;
      this.#lost = true;
      if (stream.isTTY !== true && !LEFT.has(errnoOf(error) ?? '')) this.#failure = error.message;
      this.#forget();
      this.#wake();
      for (const listener of this.#listeners) listener();
    });
    stream.on('drain', () => {
      this.#unspool();
      this.#wake();
    });
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** From now on what the reader is late with waits on the disk, and passing words are kept as well. Not for terminals. */
  spoolTo(spool: Spool): void {
    if (this.#stream.isTTY !== true) this.#spool = spool;
  }

  write(text: string, worth: Worth): void {
    if (this.#lost) return;
    if (!this.#isOurs || !this.#hasRoom(worth)) {
      if (worth !== 'drawn') this.#leftOut += text.length;
    } else if (worth === 'passing' && this.#stream.isTTY !== true) {
      this.#gather(text);
    } else {
      this.flush();
      this.#put(text, text.length, worth);
    }
  }

  /** Hands on what was gathered. */
  flush(): void {
    if (this.#flush !== null) clearImmediate(this.#flush);
    this.#flush = null;
    if (this.#blockBytes === 0) return;
    const bytes = this.#block.subarray(0, this.#blockBytes);
    // The stream may hold on to it.
    this.#block = Buffer.alloc(0);
    this.#blockBytes = 0;
    this.#put(bytes, this.#blockCharacters, 'passing');
    this.#blockCharacters = 0;
  }

  async writeSlowly(text: string): Promise<void> {
    this.flush();
    if (this.#lost || this.#stream.write(text) !== false) return;
    await this.#drained();
  }

  async failure(): Promise<string | null> {
    this.flush();
    while (!this.#lost && this.#spooledBytes > 0) await this.#drained();
    // A terminal that stands still would never take it; a file has failed by the next turn of the event loop.
    if (!this.#lost && this.#unread > 0 && this.#stream.isTTY !== true) {
      await new Promise<void>((resolve) => this.#stream.write('', resolve));
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
    return this.#failure;
  }

  onLost(listener: () => void): void {
    if (this.#lost) listener();
    else this.#listeners.push(listener);
  }

  takeLeftOut(): number {
    if (this.#leftOut === 0 || !this.#isOurs || this.#unread > this.#boundOf('passing') / 2) return 0;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }

  /** False for a terminal that another job has: words of ours would stand in its midst, or stop us. */
  get #isOurs(): boolean {
    return this.#stream.isTTY !== true || this.#mayWrite();
  }

  /** With a spool it is seen when a block is full whether the disk has room for it. */
  #hasRoom(worth: Worth): boolean {
    return this.#spool !== null || this.#unread + this.#blockBytes < this.#boundOf(worth);
  }

  #boundOf(worth: Worth): number {
    if (this.#stream.isTTY === true) return TERMINAL_BYTES;
    return worth === 'kept' ? KEPT_BYTES : PASSING_BYTES;
  }

  get #unread(): number {
    return (this.#stream.writableLength ?? 0) + this.#spooledBytes;
  }

  get #spooledBytes(): number {
    return (this.#spool?.length ?? 0) + this.#afterSpoolBytes;
  }

  #gather(text: string): void {
    const mostBytes = text.length * MAX_BYTES_A_UNIT;
    if (this.#blockBytes > 0 && mostBytes > this.#block.length - this.#blockBytes) this.flush();
    if (mostBytes > BLOCK_BYTES) {
      this.#put(text, text.length, 'passing');
      return;
    }
    if (this.#blockBytes === 0) this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#blockBytes += this.#block.write(text, this.#blockBytes);
    this.#blockCharacters += text.length;
    this.#flush ??= setImmediate(() => this.flush());
  }

  #put(bytes: string | Uint8Array, characters: number, worth: Worth): void {
    const isLate = this.#spooledBytes > 0 || (this.#stream.writableLength ?? 0) >= SPOOLED_FROM_BYTES;
    if (this.#spool === null || !isLate) this.#stream.write(bytes);
    else if (!this.#keep(this.#spool, Buffer.from(bytes), worth)) this.#leftOut += characters;
  }

  /** Whole lines or nothing, in the order in which they were said. Room is left for what a program counts on. */
  #keep(spool: Spool, bytes: Uint8Array, worth: Worth): boolean {
    const reserved = worth === 'kept' ? 0 : KEPT_BYTES;
    if (this.#afterSpoolBytes === 0 && spool.roomBytes - reserved >= bytes.length && spool.push(bytes)) return true;
    if (worth !== 'kept' || this.#afterSpoolBytes + bytes.length > KEPT_BYTES) return false;
    this.#afterSpool.push(bytes);
    this.#afterSpoolBytes += bytes.length;
    return true;
  }

  /** The reader has taken all that was in memory. */
  #unspool(): void {
    const spool = this.#spool;
    while (spool !== null && spool.length > 0 && (this.#stream.writableLength ?? 0) < SPOOLED_FROM_BYTES / 2) {
      const block = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, spool.length));
      const count = spool.shift(block);
      if (count > 0) {
        this.#stream.write(block.subarray(0, count));
        continue;
      }
      this.#leftOut += spool.length;
      spool.close();
    }
    if (this.#afterSpoolBytes === 0 || (spool?.length ?? 0) > 0) return;
    for (const bytes of this.#afterSpool) this.#stream.write(bytes);
    this.#afterSpool = [];
    this.#afterSpoolBytes = 0;
  }

  #forget(): void {
    if (this.#flush !== null) clearImmediate(this.#flush);
    this.#flush = null;
    this.#blockBytes = 0;
    this.#spool?.close();
    this.#spool = null;
    this.#afterSpool = [];
    this.#afterSpoolBytes = 0;
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
