/** The report of a drill: a table for each session, and what it comes to. */
import type { Injected } from '../../drill/inject/injections.ts';
import {
  CHECKS,
  type CheckpointDrill,
  type DrillReport,
  type SessionDrill,
  type TensorDifference,
} from '../../drill/types.ts';
import type { Paint } from './paint.ts';
import { aboutDuration, aboutNumber, count } from './quantities.ts';
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
    ...session.injected.map((fault) => injectedWords(fault, paint)),
    ...rehearsalWords(session),
    ...replayWords(session, width),
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

function injectedWords({ name, ok, text }: Injected, paint: Paint): string {
  return paint(printable(`Injected ${name}: ${text}`), ok ? 'good' : 'bad');
}

function rehearsalWords({ rehearsal }: SessionDrill): string[] {
  if (rehearsal === null) return [];
  const { outcome, from, backend, reachedStep, loss, completed, lastLines } = rehearsal;
  if (outcome !== 'done') return lastLines.map((text) => printable(`  trainer: ${text}`));
  const did = completed ? 'put back, nothing left to train' : `put back, then trained to step ${reachedStep}`;
  const ended = loss === null ? '' : `, loss ${aboutNumber(loss)}`;
  return [printable(`Level 3: checkpoint ${from} ${did}${ended} (${backend ?? 'unknown backend'})`)];
}

function replayWords({ replay }: SessionDrill, width: number | null): string[] {
  if (replay === null || replay.outcome === 'skipped') return [];
  const { outcome, from, to, steps, tensors } = replay;
  const what = `Replay from checkpoint ${from} to ${to} (${count(steps ?? 0, 'step')})`;
  if (outcome === 'exact') return [`${what}: equal bit by bit`];
  if (outcome === 'unproved') return [`${what}: not proved`];
  const table = tensors.length === 0 ? [] : tableLines(DIFFERENCES, tensors.slice(0, SHOWN_TENSORS), width);
  const more = tensors.length - SHOWN_TENSORS;
  return [`${what}: not equal`, ...table, ...(more > 0 ? [`and ${more} more tensors; all of them: --json`] : [])];
}

const SHOWN_TENSORS = 10;

const DIFFERENCES: readonly Column<TensorDifference>[] = [
  { title: 'TENSOR', cell: ({ name }) => name, shrinkTo: 12, worth: 100 },
  { title: 'VALUES', cell: ({ elements }) => (elements === null ? '?' : String(elements)), align: 'right', worth: 70 },
  { title: 'LARGEST DIFFERENCE', cell: ({ largestAbsolute }) => amount(largestAbsolute), align: 'right', worth: 90 },
  { title: 'RELATIVE', cell: ({ largestRelative }) => amount(largestRelative), align: 'right', worth: 80 },
];

function amount(value: number | null): string {
  return value === null ? '?' : aboutNumber(value);
}

function timesLine({ times, rehearsal }: SessionDrill): string {
  const parts = [
    `detect ${aboutDuration(times.detectMs)}`,
    `choose ${aboutDuration(times.chooseMs)}`,
    `verify ${aboutDuration(times.verifyMs)}`,
    ...(times.restoreMs === null ? [] : [`restore ${aboutDuration(times.restoreMs)}`]),
    ...(times.firstStepMs === null ? [] : [`first step ${aboutDuration(times.firstStepMs)}`]),
  ];
  return `${whatTook(rehearsal)} took ${aboutDuration(times.totalMs)}: ${parts.join(', ')}`;
}

/** A time that was measured up to a failure, or without the trainer, is not one that a user would wait. */
function whatTook(rehearsal: SessionDrill['rehearsal']): string {
  if (rehearsal === null) return 'Looking, without a launch,';
  return rehearsal.outcome === 'done' ? 'Recovery' : 'What came before it failed';
}

function verdictLine({ ok, chosen, stepsLost, injected }: SessionDrill, paint: Paint): string {
  const lost = stepsLost === 0 ? 'no step would be lost' : `${count(stepsLost, 'step')} would be lost`;
  if (chosen === null) return paint(`NOT RECOVERABLE: after a crash now ${lost}`, 'bad');
  const from = `checkpoint ${chosen.sequence} (epoch ${chosen.epoch}, step ${chosen.step})`;
  // What the faults made beyond it was made on a copy that is gone.
  const when = `${injected.length === 0 ? '' : 'with these faults '}a crash now would go on`;
  if (ok) return paint(`Good: ${when} from ${from}; ${lost}`, 'good');
  return paint(`NOT GOOD, see above. ${when[0]?.toUpperCase()}${when.slice(1)} from ${from}; ${lost}`, 'bad');
}
