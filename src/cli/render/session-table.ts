/** Sessions as a table for a person. */
import { relative } from 'node:path';
import type { SessionRow } from '../../sessions/types.ts';
import type { SessionState } from '../../words.ts';
import type { Present } from '../session-state.ts';
import type { Tone } from './line.ts';
import type { Paint } from './paint.ts';
import { aboutAge } from './quantities.ts';
import { restartsOf } from './session-json.ts';
import { type Column, tableLines } from './table.ts';
import { cutToWidth, printable } from './width.ts';

export interface TableSession {
  readonly row: SessionRow;
  readonly present: Present;
}

export const STATE_TONES: Readonly<Record<SessionState, Tone>> = {
  running: 'good',
  orphaned: 'warning',
  interrupted: 'plain',
  crashed: 'bad',
  cut: 'warning',
  'gave-up': 'bad',
  completed: 'faint',
  'gpu-lost': 'bad',
};

/** Enough for a word or two; the rest is in `show`. */
const STAGE_COLUMNS = 16;

/** @param now wall clock, in ms */
export function sessionTable(
  sessions: readonly TableSession[],
  width: number | null,
  now: number,
  paint: Paint,
): string[] {
  const [header = '', ...rows] = tableLines(sessionColumns(sessions, now), sessions, width);
  const painted = rows.map((text, index) => {
    const session = sessions[index];
    if (session === undefined) return text;
    // The state is the only word that is coloured, and it stands between two spaces or at the end.
    const { state } = session.present;
    return text.replace(new RegExp(`(?<= )${state}(?= |$)`), paint(state, STATE_TONES[state]));
  });
  return [paint(header, 'faint'), ...painted];
}

function sessionColumns(sessions: readonly TableSession[], now: number): Column<TableSession>[] {
  const named = sessions.some(({ row }) => row.name !== null);
  return [
    { title: 'SESSION', cell: ({ row }) => row.id, worth: 100 },
    { title: 'STATE', cell: ({ present }) => present.state, worth: 90 },
    ...(named ? [{ title: 'NAME', cell: ({ row }: TableSession) => row.name ?? '', shrinkTo: 8, worth: 40 }] : []),
    { title: 'STEP', cell: ({ row }) => stepText(row), align: 'right', worth: 80 },
    { title: 'EPOCH', cell: ({ row }) => String(row.epoch ?? ''), align: 'right', worth: 50 },
    { title: 'SAVED', cell: ({ row }) => savedText(row, now), align: 'right', worth: 70 },
    { title: 'KEPT', cell: ({ row }) => String(row.checkpoints), align: 'right', worth: 20 },
    { title: 'RESTARTS', cell: ({ row }) => String(restartsOf(row)), align: 'right', worth: 30 },
    { title: 'TRAINER', cell: ({ row }) => trainerText(row), shrinkTo: 16, worth: 60 },
  ];
}

function stepText({ step, totalSteps, report }: SessionRow): string {
  // Work without epochs counts in percent and stages; its steps, if any, say little.
  if (report !== null) {
    const stage = report.stage === null ? '' : ` ${cutToWidth(printable(report.stage), STAGE_COLUMNS)}`;
    return `${report.percent.toFixed(0)} %${stage}`;
  }
  if (step === null) return '';
  return totalSteps === null ? String(step) : `${step}/${totalSteps}`;
}

function savedText({ lastCheckpointAt }: SessionRow, now: number): string {
  return lastCheckpointAt === null ? 'never' : `${aboutAge(now - Date.parse(lastCheckpointAt))} ago`;
}

/** The trainer as it was typed, as far as that can be told: relative where it lies in the session's own folder. */
export function trainerText({ trainer, cwd, args }: Pick<SessionRow, 'trainer' | 'cwd' | 'args'>): string {
  const near = relative(cwd, trainer);
  return [near.startsWith('..') || near === '' ? trainer : near, ...args].join(' ');
}
