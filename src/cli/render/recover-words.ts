/** What a recovery of several sessions looks like for a person: one line each, with the session before it. */
import type { LeftSession, RecoveryPlan } from '../recover/candidates.ts';
import { whatIsMissing } from '../recover/readiness.ts';
import type { RecoverEvent, RecoveryResult } from '../recover/recover-events.ts';
import { type Line, line } from './line.ts';
import { aboutAge, aboutDuration, count } from './quantities.ts';
import { trainerText } from './session-table.ts';
import { NO_STORY, type Story } from './story.ts';
import { type Column, tableLines } from './table.ts';
import { printable } from './width.ts';
import { tell } from './words.ts';

type Planned = RecoveryPlan['candidates'][number];

/** The table of a dry run. @param now wall clock, in ms */
export function planLines({ candidates, left }: RecoveryPlan, width: number | null, now: number): Line[] {
  const rows = candidates.length === 0 ? [] : tableLines(planColumns(now), candidates, width);
  return [
    ...planSummary({ candidates, left }, true),
    ...rows.map((text) => line(text)),
    ...left.filter(({ isTooOld }) => !isTooOld).map((one) => line(leftText(one), 'faint')),
  ];
}

function leftText({ row, state, reason }: LeftSession): string {
  return `${row.id} (${state}) is left alone: ${reason}`;
}

/** What nobody brings back unless somebody asks: also where a recovery only says what matters. */
function tooOldLine(session: LeftSession): Line {
  return line(`${leftText(session)}. To go on with it: nkat-recover resume ${session.row.id}`, 'warning', 'always');
}

export function planSummary({ candidates, left }: RecoveryPlan, dryRun: boolean): Line[] {
  const tooOld = left.filter(({ isTooOld }) => isTooOld).map(tooOldLine);
  if (candidates.length === 0) {
    const rest = left.length === 0 ? '' : `; ${count(left.length, 'session')} left alone`;
    return [
      line(
        `${tooOld.length > 0 ? 'No other session' : 'No session'} was interrupted: there is nothing to bring back${rest}.`,
      ),
      ...tooOld,
    ];
  }
  const verb = dryRun ? 'would be brought back' : 'to bring back';
  return [...tooOld, line(`${count(candidates.length, 'interrupted session')} ${verb}:`, 'strong', 'always')];
}

function planColumns(now: number): Column<Planned>[] {
  return [
    { title: 'SESSION', cell: ({ session }) => session.row.id, worth: 100 },
    { title: 'STATE', cell: ({ session }) => session.present.state, worth: 90 },
    { title: 'NAME', cell: ({ session }) => session.row.name ?? '', shrinkTo: 8, worth: 40 },
    { title: 'STEP', cell: ({ session }) => String(session.row.step ?? ''), align: 'right', worth: 50 },
    { title: 'SEEN', cell: ({ session }) => seenText(session.row.updatedAt, now), align: 'right', worth: 60 },
    { title: 'NEXT', cell: nextText, shrinkTo: 12, worth: 80 },
    { title: 'TRAINER', cell: ({ session }) => printable(trainerText(session.row)), shrinkTo: 16, worth: 30 },
  ];
}

function seenText(updatedAt: string, now: number): string {
  return `${aboutAge(now - Date.parse(updatedAt))} ago`;
}

function nextText({ session, action }: Planned): string {
  const missing = whatIsMissing(session);
  if (missing !== null) return `${missing.message} (${missing.path})`;
  return action === 'adopt' ? 'its worker trains on: it gets a supervisor' : 'resume';
}

/** Events that matter to somebody who watches several sessions; the rest is in each session's log. */
const ROUTINE: ReadonlySet<string> = new Set([
  'progress',
  'output',
  'save-started',
  'saved',
  'checkpoint-verified',
  'attempt-started',
  'session-opened',
]);

/** Keeps what each session told so far, as `words.ts` needs it. */
export class RecoverTelling {
  readonly #stories = new Map<string, Story>();

  lines(event: RecoverEvent): Line[] {
    switch (event.name) {
      case 'recovery-waiting':
        return [
          named(
            event.session,
            line(
              `waits${event.waitMs === null ? '' : ` up to ${aboutDuration(event.waitMs)}`}: ${event.message} (${event.path})`,
              'warning',
              'always',
            ),
          ),
        ];
      case 'recovery-started': {
        const how = event.action === 'adopt' ? 'gets a supervisor again' : 'is resumed';
        const pid = event.pid === null ? '' : ` (pid ${event.pid})`;
        const warning = event.warning === null ? [] : [line(event.warning, 'warning', 'always')];
        return [line(`${how}${pid}`), ...warning].map((told) => named(event.session, told));
      }
      case 'recovery-told':
        return this.#told(event);
      case 'recovery-over':
        return overLines(event);
      case 'recovery-ended':
        return [endLine(event.results)];
    }
  }

  #told({ session, event }: Extract<RecoverEvent, { name: 'recovery-told' }>): Line[] {
    const { story, lines } = tell(this.#stories.get(session) ?? NO_STORY, event);
    this.#stories.set(session, story);
    if (ROUTINE.has(event.name)) return [];
    return lines.filter(({ weight }) => weight !== 'detail').map((told) => named(session, told));
  }
}

function overLines({ session, outcome, exitCode, message }: RecoveryResult): Line[] {
  const why = message === null ? '' : `: ${message}`;
  switch (outcome) {
    case 'held':
      return [named(session, line(`is in somebody else's hands by now${why}`))];
    case 'not-started':
      return [named(session, line('was not started any more', 'warning', 'always'))];
    case 'refused':
    case 'broken':
      return [named(session, line(`could not be brought back (exit code ${exitCode})${why}`, 'bad', 'always'))];
    default:
      // Its own supervisor has said how it ended.
      return [];
  }
}

function endLine(results: readonly RecoveryResult[]): Line {
  const amounts = new Map<string, number>();
  for (const { outcome } of results) amounts.set(outcome, (amounts.get(outcome) ?? 0) + 1);
  const words = [...amounts].map(([outcome, amount]) => `${amount} ${outcome}`).join(', ');
  return line(`${count(results.length, 'session')}: ${words}`, 'strong', 'always');
}

function named(session: string, { text, tone, weight }: Line): Line {
  return line(`[${session}] ${text}`, tone, weight);
}
