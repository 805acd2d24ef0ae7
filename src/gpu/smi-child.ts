/** One nvidia-smi that prints a row of every card each period, from its start to its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { BoundedLines } from '../bounded-lines.ts';
import { errnoOf } from '../errors.ts';
import type { Columns } from './fields.ts';
import type { SmiCommand } from './smi-command.ts';

/** A row has some 300 bytes; what is longer is none. */
const MAX_LINE = 4096;
const LAST_LINES = 6;

export interface SmiChildEars {
  /** @returns whether it is a header or a row; what is neither is a sentence, and may say why the program ends */
  line(text: string): boolean;
  /** Never after `missing`. */
  ended(code: number | null, lastWords: string): void;
  /** It could not be started. */
  missing(errno: string): void;
}

export class SmiChild {
  readonly #child: ChildProcess;
  #lastLines: string[] = [];
  #left = false;

  /** In a group of its own: a Ctrl-C at the terminal is not for it, and cards are watched until the last save is made. */
  constructor(command: SmiCommand, columns: Columns, periodMs: number, ears: SmiChildEars) {
    const query = columns.map(({ name }) => name).join(',');
    this.#child = spawn(command.program, [`--query-gpu=${query}`, '--format=csv,nounits', '-lms', String(periodMs)], {
      env: command.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child.unref();
    this.#hear(this.#child.stdout, (line) => !this.#left && ears.line(line));
    this.#hear(this.#child.stderr, () => false);
    this.#child.on('error', (error) => ears.missing(errnoOf(error) ?? error.message));
    this.#child.on('exit', (code) => setImmediate(() => ears.ended(code, this.#lastLines.join(' '))));
  }

  /**
   * Tells it to die and forgets it. Its end is still reported, whenever that comes: one that the kernel holds may take hours, and
   * whoever waited for it would hang with it.
   */
  leave(): void {
    this.#left = true;
    this.#child.kill('SIGKILL');
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  #hear(stream: NodeJS.ReadableStream | null, isData: (line: string) => boolean): void {
    const lines = new BoundedLines(MAX_LINE);
    stream?.on('data', (chunk: Buffer) => {
      for (const line of lines.push(chunk)) {
        if (line.trim() === '' || isData(line)) continue;
        this.#lastLines = [...this.#lastLines.slice(1 - LAST_LINES), line];
      }
    });
  }
}
