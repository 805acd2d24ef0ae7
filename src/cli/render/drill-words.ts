/** The report of a drill: a table for each session, and what it comes to. */
import { CHECKS, type CheckpointDrill, type DrillReport, type SessionDrill } from '../../drill/types.ts';
import type { Paint } from './paint.ts';
import { aboutDuration, count } from './quantities.ts';
import { type Column, tableLines } from './table.ts';
import { printable } from './width.ts';

/** The contract of `drill --json`. */
export function drillJson(report: DrillReport): object {
  return { version: 1, ...report };
}

export function drillWords(report: DrillReport, width: number | null, paint: Paint): string[] {
  if (report.sessions.length === 0) return ['There is no session with checkpoints, so there is nothing to drill.'];
  return report.sessions.flatMap((session, index) => [
    ...(index === 0 ? [] : ['']),
    ...sessionWords(session, width, paint),
  ]);
}

function sessionWords(session: SessionDrill, width: number | null, paint: Paint): string[] {
  const { name, state, level, checkpoints } = session;
  const who = name === null ? session.session : `${session.session} (${name})`;
  return [
    paint(printable(`Drill of session ${who}, ${state}, level ${level}`), 'strong'),
    ...(checkpoints.length === 0 ? [] : tableLines(COLUMNS, checkpoints, width)),
    ...checkpoints.flatMap((checkpoint) => checkpointWarnings(checkpoint, paint)),
    ...session.warnings.map((text) => paint(printable(`Note: ${text}`), 'warning')),
    ...session.problems.map((text) => paint(printable(`Problem: ${text}`), 'bad')),
    timesLine(session),
    verdictLine(session, paint),
  ];
}

const COLUMNS: readonly Column<CheckpointDrill>[] = [
  { title: 'CHECKPOINT', cell: ({ sequence }) => String(sequence), align: 'right', worth: 100 },
  { title: 'STEP', cell: ({ step }) => (step === null ? '?' : String(step)), align: 'right', worth: 95 },
  {
    title: 'KINDS',
    cell: ({ kinds, place }) => [...kinds, ...(place === 'backup' ? ['(backup)'] : [])].join(' '),
    shrinkTo: 6,
    worth: 10,
  },
  ...CHECKS.map(
    (check, index): Column<CheckpointDrill> => ({
      title: check.toUpperCase(),
      cell: ({ checks }) => answer(checks[check]),
      worth: 90 - index,
    }),
  ),
];

function answer(value: boolean | null): string {
  if (value === null) return '-';
  return value ? 'yes' : 'NO';
}

function checkpointWarnings({ sequence, warnings }: CheckpointDrill, paint: Paint): string[] {
  return warnings.map((text) => paint(printable(`Note: checkpoint ${sequence}: ${text}`), 'warning'));
}

function timesLine({ times }: SessionDrill): string {
  const parts = [
    `detect ${aboutDuration(times.detectMs)}`,
    `choose ${aboutDuration(times.chooseMs)}`,
    `verify ${aboutDuration(times.verifyMs)}`,
    ...(times.restoreMs === null ? [] : [`restore ${aboutDuration(times.restoreMs)}`]),
    ...(times.firstStepMs === null ? [] : [`first step ${aboutDuration(times.firstStepMs)}`]),
  ];
  return `Recovery took ${aboutDuration(times.totalMs)}: ${parts.join(', ')}`;
}

function verdictLine({ ok, chosen, stepsLost }: SessionDrill, paint: Paint): string {
  const lost = stepsLost === 0 ? 'no step would be lost' : `${count(stepsLost, 'step')} would be lost`;
  if (chosen === null) return paint(`NOT RECOVERABLE: after a crash now ${lost}`, 'bad');
  const from = `checkpoint ${chosen.sequence} (epoch ${chosen.epoch}, step ${chosen.step})`;
  if (ok) return paint(`Good: a crash now would go on from ${from}; ${lost}`, 'good');
  return paint(`NOT GOOD, see above. A crash now would go on from ${from}; ${lost}`, 'bad');
}
