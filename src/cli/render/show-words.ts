/** One session in full, for a person. */
import type { AttemptRow } from '../../sessions/types.ts';
import { aboutBytes } from '../../units.ts';
import type { LocatedSession } from '../located-session.ts';
import { type CardCurve, curveText } from './card-curves.ts';
import type { Paint } from './paint.ts';
import { reportText } from './progress-words.ts';
import { aboutAge, aboutDuration, aboutNumber } from './quantities.ts';
import { STATE_TONES, trainerText } from './session-table.ts';
import { type Column, tableLines } from './table.ts';
import { printable } from './width.ts';

/** A checkpoint as `show --json` has it. Null: its manifest cannot be read. */
export interface ShownCheckpoint {
  readonly sequence: number;
  readonly step: number | null;
  readonly epoch: number | null;
  readonly kinds: readonly string[];
  readonly reason: string | null;
  readonly state: string;
  readonly bytes: number | null;
  readonly createdAt: string | null;
  readonly digest: string | null;
  readonly path: string;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface ShownSession {
  readonly session: Pick<LocatedSession, 'row' | 'layout' | 'present'>;
  readonly attempts: readonly AttemptRow[];
  readonly checkpoints: readonly ShownCheckpoint[];
  /** Files of what the cards showed before a crash or an emergency save, oldest first. */
  readonly snapshots: readonly string[];
  readonly curves: readonly CardCurve[];
  /** Wall clock, in ms. */
  readonly now: number;
}

export function showLines(shown: ShownSession, width: number | null, paint: Paint): string[] {
  const { attempts, checkpoints, now } = shown;
  const attemptLines = attempts.length === 0 ? ['none'] : tableLines(ATTEMPT_COLUMNS, attempts, indented(width));
  const checkpointLines =
    checkpoints.length === 0 ? ['none'] : tableLines(checkpointColumns(now), checkpoints, indented(width));
  return [
    ...headLines(shown, paint),
    '',
    paint('Attempts', 'strong'),
    ...attemptLines.map(indent),
    '',
    paint('Checkpoints', 'strong'),
    ...checkpointLines.map(indent),
  ];
}

function headLines({ session, snapshots, curves }: ShownSession, paint: Paint): string[] {
  const { row, layout, present } = session;
  const name = row.name === null ? '' : ` "${printable(row.name)}"`;
  const facts: [string, string | null][] = [
    ['trainer', printable(trainerText(row))],
    ['folder', row.cwd],
    ['started', row.createdAt],
    ['progress', progressText(row)],
    ['best', row.bestMetric === null ? null : `${row.bestMetric.name} ${aboutNumber(row.bestMetric.value)}`],
    ['supervisor', present.ownerPid === null ? null : `pid ${present.ownerPid}`],
    ['worker', present.workerAlive && row.workerPid !== null ? `pid ${row.workerPid}` : null],
    ['checkpoints', layout.directory],
    ['best models', layout.backups],
    ...curves.map((curve): [string, string] => [`GPU ${curve.index ?? '?'}`, curveText(curve)]),
    ['GPU at crash', snapshotText(snapshots)],
  ];
  return [
    `${paint(`Session ${row.id}${name}`, 'strong')} ${paint(present.state, STATE_TONES[present.state])}`,
    ...facts.flatMap(([title, text]) => (text === null ? [] : [`  ${title.padEnd(13)}${text}`])),
  ];
}

function snapshotText(paths: readonly string[]): string | null {
  const newest = paths.at(-1);
  if (newest === undefined) return null;
  return paths.length === 1 ? newest : `${newest} and ${paths.length - 1} older`;
}

function progressText({ epoch, step, totalSteps, loss, report }: ShownSession['session']['row']): string | null {
  if (report !== null) return reportText(report);
  if (step === null) return null;
  const total = totalSteps === null ? '' : ` of ${totalSteps}`;
  const place = epoch === null ? '' : `epoch ${epoch}, `;
  return `${place}step ${step}${total}${loss === null ? '' : `, loss ${aboutNumber(loss)}`}`;
}

const ATTEMPT_COLUMNS: readonly Column<AttemptRow>[] = [
  { title: 'NO', cell: (row) => String(row.number), align: 'right', worth: 100 },
  { title: 'STARTED', cell: (row) => row.startedAt, worth: 30 },
  { title: 'LASTED', cell: lastedText, align: 'right', worth: 40 },
  {
    title: 'FROM',
    cell: (row) => (row.resumedFromSequence === null ? '' : String(row.resumedFromSequence)),
    align: 'right',
    worth: 50,
  },
  { title: 'STEPS', cell: stepsText, align: 'right', worth: 60 },
  { title: 'END', cell: (row) => row.class ?? (row.endedAt === null ? 'open' : 'ended'), worth: 90 },
  { title: 'WHY', cell: (row) => row.reason ?? '', shrinkTo: 20, worth: 70 },
];

function lastedText({ startedAt, endedAt }: AttemptRow): string {
  return endedAt === null ? '' : aboutDuration(Date.parse(endedAt) - Date.parse(startedAt));
}

function stepsText({ firstStep, lastStep }: AttemptRow): string {
  if (firstStep === null) return '';
  return lastStep === null ? `${firstStep}-` : `${firstStep}-${lastStep}`;
}

function checkpointColumns(now: number): Column<ShownCheckpoint>[] {
  return [
    { title: 'NO', cell: ({ sequence }) => String(sequence), align: 'right', worth: 100 },
    { title: 'STEP', cell: ({ step }) => String(step ?? ''), align: 'right', worth: 90 },
    { title: 'EPOCH', cell: ({ epoch }) => String(epoch ?? ''), align: 'right', worth: 40 },
    { title: 'AGE', cell: ({ createdAt }) => ageText(createdAt, now), align: 'right', worth: 60 },
    { title: 'SIZE', cell: ({ bytes }) => (bytes === null ? '' : aboutBytes(bytes)), align: 'right', worth: 50 },
    { title: 'STATE', cell: ({ state }) => state, worth: 80 },
    { title: 'KINDS', cell: ({ kinds }) => kinds.join(','), worth: 70 },
    { title: 'REASON', cell: ({ reason }) => reason ?? '', shrinkTo: 12, worth: 20 },
    { title: 'DIGEST', cell: ({ digest }) => digest ?? '', shrinkTo: 9, worth: 10 },
  ];
}

function ageText(createdAt: string | null, now: number): string {
  return createdAt === null ? '' : aboutAge(now - Date.parse(createdAt));
}

function indented(width: number | null): number | null {
  return width === null ? null : Math.max(1, width - 2);
}

function indent(text: string): string {
  return `  ${text}`;
}
