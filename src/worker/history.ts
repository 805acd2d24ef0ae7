/**
 * Metric history as growing columns of float64. Append-only: a snapshot is a view of the first rows, and a column
 * that outgrows its buffer moves to a new one while older snapshots keep theirs. No wall-clock times in here: the
 * digest of a checkpoint must not depend on when it was made.
 */
import { NkatError } from '../errors.ts';
import type { SavedTensor, SnapshotTensor } from './state.ts';

const FIRST_CAPACITY = 1024;
/** Names of history tensors start so; a training state may not use the prefix. */
export const HISTORY_PREFIX = 'history/';

/** One table: `step` has a row a step, `epoch` a row an epoch. A metric that a row lacks is NaN there. */
export class History {
  readonly #table: string;
  readonly #columns = new Map<string, Float64Array<ArrayBuffer>>();
  #rows = 0;

  constructor(table: string) {
    this.#table = table;
  }

  get rows(): number {
    return this.#rows;
  }

  append(row: Readonly<Record<string, number>>): void {
    const index = this.#rows;
    for (const name of Object.keys(row)) {
      if (!this.#columns.has(name)) this.#columns.set(name, emptyColumn(index + 1));
    }
    for (const [name, column] of this.#columns) {
      const room = index < column.length ? column : grown(column);
      if (room !== column) this.#columns.set(name, room);
      room[index] = row[name] ?? Number.NaN;
    }
    this.#rows++;
  }

  /** A copy of one column; empty when there is none. */
  column(name: string): Float64Array<ArrayBuffer> {
    return this.#columns.get(name)?.slice(0, this.#rows) ?? new Float64Array(0);
  }

  /** Views of the present rows, which no later row changes; only `read` copies. */
  snapshot(): SnapshotTensor[] {
    return [...this.#columns].map(([name, column]) => {
      const view = column.subarray(0, this.#rows);
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      return {
        name: `${HISTORY_PREFIX}${this.#table}/${name}`,
        dtype: 'F64' as const,
        shape: [view.length],
        mayBeNonFinite: true,
        read: (target, from) => target.set(bytes.subarray(from, from + target.length)),
      };
    });
  }

  /**
   * Takes the rows of a checkpoint in place of the present ones.
   * @throws NkatError `state-mismatch` when a column has other than `rows` rows.
   */
  putBack(tensors: ReadonlyMap<string, SavedTensor>, rows: number): void {
    const prefix = `${HISTORY_PREFIX}${this.#table}/`;
    this.#columns.clear();
    for (const [name, tensor] of tensors) {
      if (!name.startsWith(prefix)) continue;
      if (tensor.dtype !== 'F64' || tensor.bytes.byteLength !== rows * 8) {
        throw new NkatError(
          `${name} should hold ${rows} float64 values, not ${tensor.bytes.byteLength} bytes of ${tensor.dtype}`,
          {
            code: 'state-mismatch',
            operation: 'restore the metric history',
          },
        );
      }
      const column = emptyColumn(rows + 1);
      new Uint8Array(column.buffer).set(tensor.bytes);
      this.#columns.set(name.slice(prefix.length), column);
    }
    this.#rows = rows;
  }
}

function emptyColumn(rows: number): Float64Array<ArrayBuffer> {
  let capacity = FIRST_CAPACITY;
  while (capacity < rows) capacity *= 2;
  return new Float64Array(capacity).fill(Number.NaN);
}

function grown(column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(column.length * 2).fill(Number.NaN);
  wider.set(column);
  return wider;
}
