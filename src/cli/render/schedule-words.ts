/** Drills that are made at their times: what is scheduled, and when the next one comes. */
import { nextRun, readCron } from '../../power/cron-schedule.ts';
import type { ScheduledDrill } from '../service/scheduled-drills.ts';
import { type Line, line } from './line.ts';
import { clockText } from './power-words.ts';
import { printable } from './width.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** @param now wall clock, in ms */
export function nextWords(cron: string, now: number): string {
  const next = nextOf(cron, now);
  if (next === null) return 'nobody knows when';
  // Cron knows of no seconds.
  return `${DAYS[next.getDay()]} ${clockText(next.toISOString()).replace(/:\d\d$/, '')}`;
}

function nextOf(cron: string, now: number): Date | null {
  const { schedule } = readCron(cron);
  return schedule === null ? null : nextRun(schedule, new Date(now));
}

/** The contract of `drill schedule --list --json`. */
export function scheduleJson(drills: readonly ScheduledDrill[], now: number): object {
  return {
    version: 1,
    schedules: drills.map(({ home, isOwn, cron, entry }) => {
      return { home, own: isOwn, cron, next: nextOf(cron, now)?.toISOString() ?? null, entry };
    }),
  };
}

export function scheduleLines(drills: readonly ScheduledDrill[], now: number): Line[] {
  if (drills.length === 0) return [line('No drill is scheduled. Every Sunday at three: nkat-recover drill schedule')];
  return drills.flatMap(({ home, isOwn, cron, entry }) => [
    line(
      printable(
        `${isOwn ? 'Scheduled' : `Scheduled for another state home, ${home}`}: ${cron}; next ${nextWords(cron, now)}`,
      ),
      isOwn ? 'strong' : undefined,
    ),
    line(printable(`    ${entry}`), 'faint'),
  ]);
}
