/** A file of lines that is renamed away at a size, and that a full disk neither stops nor tears. */

import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../errors.ts';
import { makeDirectory } from '../make-directory.ts';

/** Held lines are written from this size on, at the latest in the next turn of the event loop. */
const HELD_BYTES = 64 * 1024;

interface RotatingFileOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** How many rotated files `<path>.1` to `<path>.<keep>` stay. */
  readonly keep: number;
  readonly onProblem: (message: string) => void;
  /** Said once, when what is written arrives again. */
  readonly onWrittenAgain?: (message: string) => void;
}

/**
 * Writes are synchronous, in batches: so a flood of lines slows its reader instead of piling up in memory. Lines that
 * cannot be written are counted, and a record in the file tells how many as soon as one can be written again.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #descriptor: number | null = null;
  #size = 0;
  #held: string[] = [];
  #heldLength = 0;
  #flush: NodeJS.Immediate | null = null;
  #lost = 0;
  #untoldLost = 0;
  #told = false;
  /** Once: a disk at its brink would tell it all day. */
  #toldAgain = false;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  get lostLines(): number {
    return this.#lost;
  }

  /** Takes one line with its newline. */
  write(line: string): void {
    this.#held.push(line);
    this.#heldLength += line.length;
    if (this.#heldLength >= HELD_BYTES) this.flush();
    else this.#flush ??= setImmediate(() => this.flush());
  }

  /** Never throws for what the system refuses. */
  flush(): void {
    if (this.#flush !== null) clearImmediate(this.#flush);
    this.#flush = null;
    if (this.#held.length === 0) return;
    const lines = this.#held;
    this.#held = [];
    this.#heldLength = 0;
    try {
      this.#append(lines);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === null) throw error;
      this.#lose(lines.length, errno);
    }
  }

  close(): void {
    this.flush();
    this.#release();
  }

  #append(lines: readonly string[]): void {
    const gap = this.#untoldLost > 0 ? `${gapRecord(this.#untoldLost)}\n` : '';
    const bytes = Buffer.from(gap + lines.join(''), 'utf8');
    let descriptor = this.#open();
    if (this.#size > 0 && this.#size + bytes.length > this.#options.maxBytes) {
      this.#rotate();
      descriptor = this.#open();
    }
    const start = this.#size;
    try {
      for (let written = 0; written < bytes.length; ) {
        const count = writeSync(descriptor, bytes, written);
        written += count;
        this.#size += count;
      }
    } catch (error) {
      // A torn line would spoil the one after it.
      if (this.#size > start) ftruncateSync(descriptor, start);
      this.#size = start;
      throw error;
    }
    if (this.#told && this.#untoldLost > 0 && !this.#toldAgain) {
      this.#toldAgain = true;
      this.#options.onWrittenAgain?.(
        `The session log is written again; lines that are missing in it: ${this.#untoldLost}`,
      );
    }
    this.#untoldLost = 0;
  }

  #open(): number {
    if (this.#descriptor !== null) return this.#descriptor;
    makeDirectory(dirname(this.#options.path), 0o700);
    this.#descriptor = openSync(this.#options.path, 'a', 0o600);
    this.#size = fstatSync(this.#descriptor).size;
    return this.#descriptor;
  }

  #rotate(): void {
    this.#release();
    const { path, keep } = this.#options;
    rmSync(`${path}.${keep}`, { force: true });
    for (let number = keep - 1; number >= 1; number -= 1) renameIfThere(`${path}.${number}`, `${path}.${number + 1}`);
    renameIfThere(path, `${path}.1`);
    this.#size = 0;
  }

  #release(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #lose(lines: number, errno: string): void {
    this.#lost += lines;
    this.#untoldLost += lines;
    // Opened anew each time: the disk may have come back as another mount.
    this.#release();
    if (this.#told) return;
    this.#told = true;
    this.#options.onProblem(
      `The session log cannot be written (${errno}): ${this.#options.path}; lines are left out until it can`,
    );
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

function gapRecord(lines: number): string {
  const time = new Date().toISOString();
  return JSON.stringify({
    level: 'warn',
    time,
    event: 'log-gap',
    lines,
    msg: `${lines} lines could not be written here`,
  });
}
