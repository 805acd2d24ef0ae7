/**
 * One end of the channel. Both directions are bounded: a peer that floods us is read no faster than we handle its
 * lines (the kernel makes it wait), and one that does not read us costs at most {@link MAX_UNREAD_BYTES}.
 */
import type { Socket } from 'node:net';
import { NkatError } from '../errors.ts';
import { encodeMessage, type Line, LineDecoder } from './codec.ts';
import type { Decoded, DecodeProblem } from './decode.ts';
import type { SupervisorMessage, WorkerMessage } from './messages.ts';

/** Lines handled before other work of the process gets its turn. */
const LINES_PER_TURN = 200;
/** How soon a receiver that was busy is asked again. */
const BUSY_MS = 5;
/** From this much unread output on, only the newest progress is kept. */
const COALESCE_ABOVE_BYTES = 256 * 1024;
/** With this much unread output the peer counts as gone. Room for three of the longest lines. */
export const MAX_UNREAD_BYTES = 4 * 1024 * 1024;

export interface ChannelProblem {
  readonly problem: DecodeProblem | 'too-long' | 'not-utf8' | 'unread';
  readonly detail: string;
  /** How many lines were dropped on this connection so far, this one included. */
  readonly dropped: number;
}

/** `held`: the peer reads slowly; sent later unless a newer progress replaces it. `closed`: not sent. */
export type SendOutcome = 'sent' | 'held' | 'closed';

export class Connection<In, Out extends WorkerMessage | SupervisorMessage> {
  readonly #socket: Socket;
  readonly #decode: (line: string) => Decoded<In>;
  readonly #decoder = new LineDecoder();
  /** Lines of at most one chunk; the socket is paused while there are any left over. */
  #waiting: Line[] = [];
  #handled = 0;
  #turnScheduled = false;
  #held: Out | null = null;
  #dropped = 0;
  #ended = false;
  #reported = false;
  #error: Error | null = null;
  #messageListener: ((message: In) => void) | null = null;
  #problemListener: ((problem: ChannelProblem) => void) | null = null;
  #closeListener: ((error: Error | null) => void) | null = null;
  #isBusy: () => boolean = () => false;

  /** Takes over a connected socket. Nothing is read before {@link onMessage} was called. */
  constructor(socket: Socket, decode: (line: string) => Decoded<In>) {
    this.#socket = socket;
    this.#decode = decode;
    // Before the data listener, which would otherwise start the flow.
    socket.pause();
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#sendHeld());
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#turn();
    });
  }

  /** False from the moment that nothing more can be sent. */
  get open(): boolean {
    return !this.#ended && this.#socket.writable;
  }

  /** Names the receiver of messages and starts reading. */
  onMessage(listener: (message: In) => void): void {
    this.#messageListener = listener;
    this.#scheduleTurn();
  }

  /** While `isBusy` says so no line is handled and none is read, so that what a message leads to cannot pile up here. */
  waitWhile(isBusy: () => boolean): void {
    this.#isBusy = isBusy;
  }

  /**
   * Lines that were dropped. Bounded in number: the first eight, then each time that the count has doubled. Unknown
   * types are no problem and not reported.
   */
  onProblem(listener: (problem: ChannelProblem) => void): void {
    this.#problemListener = listener;
  }

  /** Called once, after the last message that arrived; with the socket's error if it broke. */
  onClose(listener: (error: Error | null) => void): void {
    this.#closeListener = listener;
    if (this.#ended) this.#scheduleTurn();
  }

  /**
   * Queues a message. A peer that does not read gets only the newest `progress` later; with {@link MAX_UNREAD_BYTES}
   * unread the connection is given up, because every other message counts.
   * @throws NkatError 'protocol' for a message that does not fit a line.
   */
  send(message: Out): SendOutcome {
    if (!this.open) return 'closed';
    if (message.type === 'progress' && this.#socket.writableLength > COALESCE_ABOVE_BYTES) {
      this.#held = message;
      return 'held';
    }
    // In order: progress that was held back is older than this message.
    this.#sendHeld();
    return this.#write(message);
  }

  /** Sends what is queued, then closes; after `flushMs` it closes with what was not read lost. */
  close(flushMs = 1000): Promise<void> {
    if (this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), flushMs);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#sendHeld();
      this.#socket.end(() => this.#socket.destroy());
    });
  }

  /** Closes at once; lines that were not handled yet are dropped. */
  destroy(): void {
    this.#waiting = [];
    this.#socket.destroy();
  }

  /** Keeps this connection from keeping the process alive. */
  unref(): void {
    this.#socket.unref();
  }

  #write(message: Out): SendOutcome {
    const line = encodeMessage(message);
    if (this.#socket.writableLength + line.length > MAX_UNREAD_BYTES) {
      this.#report('unread', `the peer left ${this.#socket.writableLength} bytes unread`);
      this.#socket.destroy(
        new NkatError('the other end does not read', { code: 'protocol', operation: 'send a message' }),
      );
      return 'closed';
    }
    this.#socket.write(line);
    return 'sent';
  }

  #sendHeld(): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null && this.open) this.#write(held);
  }

  #receive(chunk: Buffer): void {
    const lines = this.#decoder.push(chunk);
    // Not by spread: one chunk can hold tens of thousands of lines.
    this.#waiting = this.#waiting.length === 0 ? lines : this.#waiting.concat(lines);
    this.#turn();
  }

  /** Handles lines up to this turn's share; the rest waits for the next turn with the socket paused. */
  #turn(): void {
    if (this.#messageListener === null) {
      this.#reportClose();
      return;
    }
    let next = 0;
    try {
      while (next < this.#waiting.length && this.#handled < LINES_PER_TURN && !this.#isBusy()) {
        const line = this.#waiting[next];
        next += 1;
        this.#handled += 1;
        if (line !== undefined) this.#handle(line);
      }
    } finally {
      // Also when a listener throws: its line was delivered, the others still are.
      this.#waiting = this.#waiting.slice(next);
      if (this.#waiting.length > 0) this.#socket.pause();
      if (this.#handled > 0 || this.#waiting.length > 0) this.#scheduleTurn();
    }
    this.#reportClose();
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    const next = (): void => {
      this.#turnScheduled = false;
      this.#handled = 0;
      this.#turn();
      if (this.#waiting.length === 0 && !this.#ended && this.#messageListener !== null) this.#socket.resume();
    };
    if (this.#isBusy()) setTimeout(next, BUSY_MS);
    else setImmediate(next);
  }

  #handle(line: Line): void {
    if (line.kind === 'too-long') {
      this.#report('too-long', 'a line of more than 1 MiB');
    } else if (line.kind === 'not-utf8') {
      this.#report('not-utf8', `a line of ${line.bytes} bytes that is no UTF-8`);
    } else {
      const decoded = this.#decode(line.text);
      if (decoded.ok) this.#messageListener?.(decoded.message);
      else if (decoded.problem !== 'unknown-type') this.#report(decoded.problem, decoded.detail);
    }
  }

  #report(problem: ChannelProblem['problem'], detail: string): void {
    this.#dropped += 1;
    const isPowerOfTwo = (this.#dropped & (this.#dropped - 1)) === 0;
    if (this.#dropped <= 8 || isPowerOfTwo) this.#problemListener?.({ problem, detail, dropped: this.#dropped });
  }

  #reportClose(): void {
    if (!this.#ended || this.#waiting.length > 0 || this.#reported || this.#closeListener === null) return;
    this.#reported = true;
    this.#closeListener(this.#error);
  }
}

/** The worker's (or a control client's) end. */
export type WorkerConnection = Connection<SupervisorMessage, WorkerMessage>;
/** The supervisor's end. */
export type SupervisorConnection = Connection<WorkerMessage, SupervisorMessage>;
