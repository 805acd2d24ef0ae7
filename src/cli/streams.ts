/**
 * Our own stdout and stderr. The reader may go away at any time (`| head -1`, a closed terminal, a full disk): then
 * these go silent and nothing else happens, since training matters more than words about it.
 */
import { errnoOf } from '../errors.ts';

/** What may wait for a terminal that stands still, in bytes. */
const TERMINAL_BYTES = 256 * 1024;
/**
 * For the reader of a pipe that is too slow (a pager that waits): what is only shown in passing is left out beyond this. It is
 * in the session's log. Memory would be all that grows else.
 */
const PASSING_BYTES = 4 * 1024 * 1024;
/** What else we say; a program may count on all of it. */
const KEPT_BYTES = 16 * 1024 * 1024;

/** A reader that went away has read enough (`| head -1`), and a terminal that closed has nobody before it. */
const LEFT: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET']);

/** The part of a `WriteStream` that is used. */
export interface TextStream {
  /** @param taken called when the reader took it, or an error came */
  write(text: string, taken?: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'drain', listener: () => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** Bytes that the reader has not taken yet. */
  readonly writableLength?: number;
}

/** `passing`: left out, and counted, where the reader does not keep up. `drawn`: the same, and not counted. */
export type Worth = 'passing' | 'kept' | 'drawn';

export interface Streams {
  /** Writes text to stdout as it is. */
  out(text: string, worth?: Worth): void;
  /** Writes text to stderr as it is. */
  err(text: string, worth?: Worth): void;
  /** Draws on stderr: what is drawn now is out of date with the next. */
  draw(text: string): void;
  /** The same as `out`, and waits until a slow reader has taken it: for more than memory should hold. */
  outSlowly(text: string): Promise<void>;
  /** Resolves when everything written to stdout was taken, or never will be: why not, if the cause is no reader that left. */
  outFailure(): Promise<string | null>;
  /** True when stdout has lost its reader. */
  outLost(): boolean;
  /** Called once, when stderr has lost its reader. */
  onErrLost(listener: () => void): void;
  /** True while a reader of stdout has more to take than it should: more would be left out soon. */
  outBehind(): boolean;
  /** Characters that were left out of both since the last call, once the readers keep up again; else 0. */
  takeLeftOut(): number;
}

/** Guards both streams; after this call no error of theirs can end the process. */
export function guardStreams(stdout: TextStream, stderr: TextStream, mayWrite: () => boolean = () => true): Streams {
  const out = new GuardedStream(stdout, mayWrite);
  const err = new GuardedStream(stderr, mayWrite);
  return {
    out: (text, worth = 'kept') => out.write(text, worth),
    err: (text, worth = 'kept') => err.write(text, worth),
    draw: (text) => err.write(text, 'drawn'),
    outSlowly: (text) => out.writeSlowly(text),
    outFailure: () => out.failure(),
    outLost: () => out.lost,
    onErrLost: (listener) => err.onLost(listener),
    outBehind: () => out.isBehind,
    takeLeftOut: () => out.takeLeftOut() + err.takeLeftOut(),
  };
}

class GuardedStream {
  readonly #stream: TextStream;
  readonly #mayWrite: () => boolean;
  readonly #listeners: (() => void)[] = [];
  #drained: (() => void) | null = null;
  #lost = false;
  #failure: string | null = null;
  #leftOut = 0;

  constructor(stream: TextStream, mayWrite: () => boolean) {
    this.#stream = stream;
    this.#mayWrite = mayWrite;
    stream.on('error', (error) => {
      if (this.#lost) return;
      this.#lost = true;
      if (stream.isTTY !== true && !LEFT.has(errnoOf(error) ?? '')) this.#failure = error.message;
      this.#drained?.();
      for (const listener of this.#listeners) listener();
    });
    stream.on('drain', () => this.#drained?.());
  }

  get lost(): boolean {
    return this.#lost;
  }

  get isBehind(): boolean {
    return !this.#lost && this.#unread > this.#boundOf('passing') / 2;
  }

  write(text: string, worth: Worth): void {
    if (this.#lost) return;
    if (this.#unread < this.#boundOf(worth) && this.#isOurs) this.#stream.write(text);
    else if (worth !== 'drawn') this.#leftOut += text.length;
  }

  async writeSlowly(text: string): Promise<void> {
    if (this.#lost || this.#stream.write(text) !== false) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    this.#drained = null;
  }

  async failure(): Promise<string | null> {
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

  #boundOf(worth: Worth): number {
    if (this.#stream.isTTY === true) return TERMINAL_BYTES;
    return worth === 'kept' ? KEPT_BYTES : PASSING_BYTES;
  }

  get #unread(): number {
    return this.#stream.writableLength ?? 0;
  }
}
