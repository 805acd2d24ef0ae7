/** Tables that fit: the widest free text shrinks first, then the least needed columns go. */
import { cutToWidth, printable, widthOf } from './width.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** The text may be cut down to this many columns; absent: it is shown whole or not at all. */
  readonly shrinkTo?: number;
  /** Lower goes first where there is no room. The highest always stays. */
  readonly worth: number;
}

const GAP = '  ';

/**
 * Header and rows as lines, none wider than `width`.
 *
 * @param width columns of the screen; null: nothing limits them
 */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number | null): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.cell(row))));
  const natural = columns.map((column, index) =>
    Math.max(widthOf(column.title), ...cells.map((row) => widthOf(row[index] ?? ''))),
  );
  const widths = fitWidths(columns, natural, width ?? Number.POSITIVE_INFINITY);
  const format = (texts: readonly string[]): string =>
    columns
      .flatMap((column, index) => {
        const size = widths[index] ?? 0;
        return size === 0 ? [] : [pad(texts[index] ?? '', size, column.align ?? 'left')];
      })
      .join(GAP)
      .trimEnd();
  return [format(columns.map((column) => column.title)), ...cells.map(format)];
}

/** Width of each column; 0: left out. */
function fitWidths<Row>(columns: readonly Column<Row>[], natural: readonly number[], limit: number): number[] {
  const widths = [...natural];
  const total = (): number => {
    const shown = widths.filter((size) => size > 0);
    return shown.reduce((sum, size) => sum + size, 0) + GAP.length * Math.max(0, shown.length - 1);
  };
  const shrink = (): void => {
    for (const [index, { shrinkTo }] of columns.entries()) {
      const size = natural[index] ?? 0;
      if (shrinkTo === undefined || widths[index] === 0) continue;
      widths[index] = size;
      widths[index] = Math.min(size, Math.max(Math.min(shrinkTo, size), size - Math.max(0, total() - limit)));
    }
  };
  shrink();
  const order = columns.map((_, index) => index).sort((a, b) => (columns[a]?.worth ?? 0) - (columns[b]?.worth ?? 0));
  for (const index of order.slice(0, -1)) {
    if (total() <= limit) break;
    widths[index] = 0;
    shrink();
  }
  if (total() > limit) return widths.map((size) => Math.min(size, limit));
  return widths;
}

function pad(text: string, size: number, align: 'left' | 'right'): string {
  const cut = cutToWidth(text, size);
  const space = ' '.repeat(Math.max(0, size - widthOf(cut)));
  return align === 'right' ? space + cut : cut + space;
}
