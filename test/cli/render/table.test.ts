import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Column, tableLines } from '../../../src/cli/render/table.ts';
import { widthOf } from '../../../src/cli/render/width.ts';

interface Row {
  readonly id: string;
  readonly text: string;
  readonly n: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'ID', cell: ({ id }) => id, worth: 3 },
  { title: 'N', cell: ({ n }) => String(n), align: 'right', worth: 1 },
  { title: 'TEXT', cell: ({ text }) => text, shrinkTo: 6, worth: 2 },
];
const ROWS: readonly Row[] = [
  { id: 'abc', text: 'a rather long text', n: 7 },
  { id: 'de', text: '訓練\u001b[2Jする', n: 1234 },
];

test('with room everything is shown, aligned, without control characters', () => {
  expect(tableLines(COLUMNS, ROWS, null)).toEqual([
    'ID      N  TEXT',
    'abc     7  a rather long text',
    'de   1234  訓練する',
  ]);
});

test('free text shrinks first, then the least needed column goes', () => {
  expect(tableLines(COLUMNS, ROWS, 20)[1]).toBe('abc     7  a rather…');
  expect(tableLines(COLUMNS, ROWS, 12)[1]).toBe('abc  a rath…');
  expect(tableLines(COLUMNS, ROWS, 4)).toEqual(['ID', 'abc', 'de']);
});

test('no line is ever wider than the screen', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.record({ id: fc.string(), text: fc.string({ unit: 'grapheme' }), n: fc.integer() })),
      (width, rows) => tableLines(COLUMNS, rows, width).every((text) => widthOf(text) <= width),
    ),
  );
});
