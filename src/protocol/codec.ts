/** Messages to bytes and bytes to lines. Whatever comes in, memory stays below one line and nothing throws. */
import { isUtf8 } from 'node:buffer';
import { NkatError } from '../errors.ts';
import { MAX_LINE_BYTES, MAX_TEXT, type SupervisorMessage, type WorkerMessage } from './messages.ts';

/**
 * One message as a line, newline included. What the receiver's schema would refuse is made to fit where the meaning
 * survives: reasons and messages are shortened, metrics that JSON cannot carry (NaN, Infinity) are left out.
 * @throws NkatError 'protocol' when the line is longer than {@link MAX_LINE_BYTES}.
 */
export function encodeMessage(message: WorkerMessage | SupervisorMessage): string {
  const line = `${JSON.stringify(fitting(message))}\n`;
  // A UTF-16 unit takes at most 3 bytes, so that short lines need no count.
  if (line.length * 3 > MAX_LINE_BYTES && Buffer.byteLength(line) > MAX_LINE_BYTES) {
    throw new NkatError(`a '${message.type}' message of ${Buffer.byteLength(line)} bytes does not fit a line`, {
      code: 'protocol',
      operation: 'send a message',
    });
  }
  return line;
}

function fitting(message: WorkerMessage | SupervisorMessage): object {
  let result: WorkerMessage | SupervisorMessage = message;
  if ('reason' in result && result.reason !== null && result.reason.length > MAX_TEXT) {
    result = { ...result, reason: shorten(result.reason) };
  }
  if ('message' in result && result.message.length > MAX_TEXT) {
    result = { ...result, message: shorten(result.message) };
  }
  if ('metrics' in result && !Object.values(result.metrics).every(Number.isFinite)) {
    const finite = Object.entries(result.metrics).filter(([, value]) => Number.isFinite(value));
    result = { ...result, metrics: Object.fromEntries(finite) };
  }
  if ('loss' in result && typeof result.loss === 'number' && !Number.isFinite(result.loss)) {
    return { ...result, loss: null };
  }
  return result;
}

function shorten(text: string): string {
  return `${text.slice(0, MAX_TEXT - 4)} ...`;
}

export type Line =
  | { readonly kind: 'line'; readonly text: string }
  /** Reported when the limit is passed, once for the whole line; the rest is dropped up to its newline. */
  | { readonly kind: 'too-long' }
  | { readonly kind: 'not-utf8'; readonly bytes: number };

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** A buffer above this is given back once its line is complete. */
const KEPT_BYTES = 64 * 1024;

/**
 * Cuts a byte stream into lines. Invariant: what is held is at most one unfinished line of {@link MAX_LINE_BYTES},
 * copied into one growing buffer, so that neither one-byte chunks nor slices of large ones keep memory alive.
 */
export class LineDecoder {
  #held: Buffer = Buffer.alloc(0);
  #heldBytes = 0;
  #dropping = false;

  /** Lines that this chunk completes, in order. Empty lines are skipped. */
  push(chunk: Uint8Array): Line[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const lines: Line[] = [];
    let start = 0;
    while (start < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline === -1 ? bytes.length : newline;
      this.#take(bytes.subarray(start, end), newline !== -1, lines);
      start = end + 1;
    }
    return lines;
  }

  #take(part: Buffer, complete: boolean, lines: Line[]): void {
    if (this.#dropping) {
      this.#dropping = !complete;
      return;
    }
    if (this.#heldBytes + part.length + 1 > MAX_LINE_BYTES) {
      lines.push({ kind: 'too-long' });
      this.#dropping = !complete;
      this.#release();
      return;
    }
    if (!complete) {
      this.#hold(part);
      return;
    }
    const line = this.#heldBytes === 0 ? part : this.#joined(part);
    this.#release();
    const trimmed = line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
    if (trimmed.length === 0) return;
    lines.push(
      isUtf8(trimmed) ? { kind: 'line', text: trimmed.toString('utf8') } : { kind: 'not-utf8', bytes: trimmed.length },
    );
  }

  #joined(part: Buffer): Buffer {
    this.#hold(part);
    return this.#held.subarray(0, this.#heldBytes);
  }

  #hold(part: Buffer): void {
    const needed = this.#heldBytes + part.length;
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#held.length, 1024));
      this.#held.copy(grown, 0, 0, this.#heldBytes);
      this.#held = grown;
    }
    part.copy(this.#held, this.#heldBytes);
    this.#heldBytes = needed;
  }

  #release(): void {
    this.#heldBytes = 0;
    if (this.#held.length > KEPT_BYTES) this.#held = Buffer.alloc(0);
  }
}
