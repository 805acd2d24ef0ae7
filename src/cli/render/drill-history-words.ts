/** Earlier drills as a table, its times local ones, in which one that was not good stands out, and where each session stands now. */
import type { DrillRow } from '../../sessions/drills-table.ts';
import type { Paint } from './paint.ts';
import { clockText } from './power-words.ts';
import { aboutDuration, count } from './quantities.ts';
import { type Column, tableLines } from './table.ts';
import { printable } from './width.ts';

/** The contract of `drill --history --json`. */
export function historyJson(rows: readonly DrillRow[]): object {
  return { version: 1, drills: rows };
}

/** @param rows oldest first */
export function historyWords(rows: readonly DrillRow[], width: number | null, paint: Paint): string[] {
  if (rows.length === 0) return ['There was no drill yet. To make one: nkat-recover drill'];
  const [header = '', ...lines] = tableLines(COLUMNS, rows, width);
  return [
    paint(header, 'faint'),
    ...lines.flatMap((text, index) => {
      const row = rows[index];
      if (row === undefined || row.ok) return [text];
      return [paint(text, 'bad'), ...row.problems.map((problem) => paint(printable(`    ${problem}`), 'bad'))];
    }),
    ...standing(rows).map(({ text, ok }) => paint(text, ok ? 'good' : 'bad')),
  ];
}

const COLUMNS: readonly Column<DrillRow>[] = [
  { title: 'WHEN', cell: ({ at }) => clockText(at), worth: 80 },
  { title: 'SESSION', cell: ({ session }) => session, worth: 90 },
  { title: 'RESULT', cell: ({ ok }) => (ok ? 'good' : 'NOT GOOD'), worth: 100 },
  { title: 'LEVEL', cell: ({ level }) => level, worth: 60 },
  { title: 'REPLAY', cell: ({ replay }) => replay ?? '-', worth: 50 },
  { title: 'RECOVERY', cell: ({ totalMs }) => aboutDuration(totalMs), align: 'right', worth: 70 },
  { title: 'LOST', cell: ({ stepsLost }) => count(stepsLost, 'step'), align: 'right', worth: 40 },
  { title: 'INJECTED', cell: ({ injected }) => injected.join(',') || '-', shrinkTo: 8, worth: 30 },
];

/** One line a session: how its newest drills went in a row, and how those before them did. */
function standing(rows: readonly DrillRow[]): { readonly text: string; readonly ok: boolean }[] {
  const sessions = [...new Set(rows.map(({ session }) => session))];
  return sessions.flatMap((session): { readonly text: string; readonly ok: boolean }[] => {
    const own = rows.filter((row) => row.session === session);
    const last = own.at(-1);
    if (last === undefined) return [];
    const changed = own.findLastIndex(({ ok }) => ok !== last.ok);
    const inRow = own.length - 1 - changed;
    if (last.ok)
      return [{ ok: true, text: `${session}: the last ${inRow === 1 ? 'drill was' : `${inRow} drills were`} good` }];
    const lastGood = own[changed];
    const before =
      lastGood === undefined ? 'none was good before' : `good until ${clockText(lastGood.at).slice(0, 10)}`;
    return [
      { ok: false, text: `${session}: NOT GOOD, the last ${inRow === 1 ? 'drill' : `${inRow} drills`}; ${before}` },
    ];
  });
}
