/** Bytes to lines, with a bound on the length of a line and on what is held. */
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Cuts a stream of bytes into lines. What is no UTF-8 survives as replacement characters; a longer line keeps its first
 * `maxBytes` and says how much was cut.
 */
export class BoundedLines {
  readonly #maxBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #cutBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Bytes that were pushed but whose line was not given out yet: a later reader must start that far back. 0 within a line that is
   * being cut, whose start nobody needs to read again.
   */
  get unfinishedBytes(): number {
    return this.#cutBytes > 0 ? 0 : this.#heldBytes;
  }

  /** The lines that this chunk completes. The chunk may be reused afterwards. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(this.#complete(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(Buffer.from(chunk.subarray(start)));
    return lines;
  }

  /** The last line, if it has no newline yet; null: nothing is held. */
  finish(): string | null {
    if (this.#heldBytes === 0) return null;
    return this.#complete(Buffer.alloc(0));
  }

  #complete(rest: Buffer): string {
    if (this.#heldBytes === 0 && rest.length <= this.#maxBytes) return decode(rest);
    this.#hold(rest);
    const text = decode(Buffer.concat(this.#held));
    const mark = this.#cutBytes > 0 ? ` [... ${this.#cutBytes} bytes cut]` : '';
    this.#held = [];
    this.#heldBytes = 0;
    this.#cutBytes = 0;
    return text + mark;
  }

  #hold(part: Buffer): void {
    const kept = part.subarray(0, this.#maxBytes - this.#heldBytes);
    if (kept.length > 0) this.#held.push(kept);
    this.#heldBytes += kept.length;
    this.#cutBytes += part.length - kept.length;
    // One write a byte would otherwise hold a Buffer object a byte.
    if (this.#held.length > 64) this.#held = [Buffer.concat(this.#held)];
  }
}

function decode(line: Buffer): string {
  const end = line.length > 0 && line[line.length - 1] === CARRIAGE_RETURN ? line.length - 1 : line.length;
  return line.toString('utf8', 0, end);
}
