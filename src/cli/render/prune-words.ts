/** What a prune takes away, as a table and a sentence. */
import type { Removal, RemovalKind, Spared } from '../../supervisor/prune.ts';
import { aboutBytes } from '../../units.ts';
import { type Line, line } from './line.ts';
import type { Paint } from './paint.ts';
import { aboutAge, count } from './quantities.ts';
import { type Column, tableLines } from './table.ts';

const WHAT: Readonly<Record<RemovalKind, string>> = {
  checkpoint: 'checkpoint',
  quarantined: 'in quarantine',
  trash: 'left-over trash',
  session: 'whole session',
};

/** @param now wall clock, in ms */
export function pruneTable(removals: readonly Removal[], width: number | null, now: number, paint: Paint): string[] {
  const hasReasons = removals.some(({ reason }) => reason !== null);
  const columns: Column<Removal>[] = [
    { title: 'SESSION', cell: ({ session }) => session, worth: 100 },
    { title: 'WHAT', cell: ({ kind }) => WHAT[kind], worth: 90 },
    { title: 'NO', cell: ({ sequence }) => String(sequence ?? ''), align: 'right', worth: 70 },
    { title: 'STEP', cell: ({ step }) => String(step ?? ''), align: 'right', worth: 50 },
    { title: 'AGE', cell: (removal) => ageOf(removal, now), align: 'right', worth: 60 },
    { title: 'SIZE', cell: ({ bytes }) => aboutBytes(bytes), align: 'right', worth: 80 },
    ...(hasReasons
      ? [{ title: 'WHY IT LAY THERE', cell: ({ reason }: Removal) => reason ?? '', shrinkTo: 16, worth: 40 }]
      : []),
  ];
  const [header = '', ...rows] = tableLines(columns, removals, width);
  return [paint(header, 'faint'), ...rows];
}

function ageOf({ createdAt }: Removal, now: number): string {
  return createdAt === null ? '' : aboutAge(now - Date.parse(createdAt));
}

/** `3 checkpoints, 1 in quarantine: 4.2 GB`. */
export function amountWords(removals: readonly Removal[]): string {
  const of = (kind: RemovalKind): number => removals.filter((removal) => removal.kind === kind).length;
  const parts = [
    of('session') > 0 ? count(of('session'), 'whole session') : null,
    of('checkpoint') > 0 ? count(of('checkpoint'), 'checkpoint') : null,
    of('quarantined') > 0 ? `${of('quarantined')} in quarantine` : null,
    of('trash') > 0 ? 'what an interrupted removal left' : null,
  ].filter((part) => part !== null);
  return `${parts.join(', ')}: ${aboutBytes(removals.reduce((sum, { bytes }) => sum + bytes, 0))}`;
}

export function sparedLines(spared: readonly Spared[]): Line[] {
  return spared.map(({ session, why, message }) => {
    const words = why === 'held' ? `left alone: ${message}` : message;
    return line(`Session ${session}: ${words}.`, why === 'unsafe' ? 'bad' : 'warning');
  });
}

/** Null: the budget is kept. */
export function overBudgetLine(remainingBytes: number, keepBytes: number | null): Line | null {
  if (keepBytes === null || remainingBytes <= keepBytes) return null;
  const words = `${aboutBytes(remainingBytes)} stay, more than the ${aboutBytes(keepBytes)} asked for`;
  return line(`${words}: the rest is in use, pinned, best, or the last two that verify.`, 'warning');
}
