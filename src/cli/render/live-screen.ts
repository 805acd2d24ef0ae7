/** The terminal as a library may draw on it: each write goes through the guard, as all other words of ours do. */
import { clearLine, cursorTo, type Direction, moveCursor } from 'node:readline';
import { Writable } from 'node:stream';
import type { Streams } from '../streams.ts';

export class LiveScreen extends Writable {
  readonly isTTY = true;
  readonly #streams: Pick<Streams, 'draw'>;
  readonly #size: { readonly columns?: number; readonly rows?: number };

  /** @param size of the terminal as it is now */
  constructor(streams: Pick<Streams, 'draw'>, size: { readonly columns?: number; readonly rows?: number }) {
    super({ decodeStrings: false });
    this.#streams = streams;
    this.#size = size;
  }

  get columns(): number | undefined {
    return this.#size.columns;
  }

  get rows(): number | undefined {
    return this.#size.rows;
  }

  cursorTo(column: number): boolean {
    return cursorTo(this, column);
  }

  moveCursor(columns: number, rows: number): boolean {
    return moveCursor(this, columns, rows);
  }

  clearLine(direction: Direction): boolean {
    return clearLine(this, direction);
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.#streams.draw(String(chunk));
    done();
  }
}
