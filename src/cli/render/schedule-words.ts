/** Drills that are made at their times: what is scheduled, and when the next one comes. */
import { nextRun, readCron } from '../../power/cron-schedule.ts';
import type { ScheduledDrill } from '../service/scheduled-drills.ts';
import { type Line, line } from './line.ts';
import { printable } from './width.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** @param now wall clock, in ms */
export function nextWords(cron: string, now: number): string {
  const { schedule } = readCron(cron);
  const next = schedule === null ? null : nextRun(schedule, new Date(now));
  if (next === null) return 'nobody knows when';
  const [date, time] = [
    [next.getFullYear(), next.getMonth() + 1, next.getDate()],
    [next.getHours(), next.getMinutes()],
  ].map((parts) => parts.map((part) => String(part).padStart(2, '0')));
  return `${DAYS[next.getDay()]} ${date?.join('-')} ${time?.join(':')}`;
}

/** The contract of `drill schedule --list --json`. */
export function scheduleJson(drills: readonly ScheduledDrill[], now: number): object {
  return {
    version: 1,
    schedules: drills.map(({ home, isOwn, cron, entry }) => {
      const { schedule } = readCron(cron);
      const next = schedule === null ? null : nextRun(schedule, new Date(now));
      return { home, own: isOwn, cron, next: next?.toISOString() ?? null, entry };
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
