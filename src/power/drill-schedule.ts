/** What has a drill made at its times on this machine: an entry in the crontab, or a task of Windows. Pure. */

import type { CronSchedule } from './cron-schedule.ts';
import { cronWord } from './crontab.ts';
import type { ServiceStep } from './service-plan.ts';
import type { ServiceProgram } from './service-unit.ts';

/** Before the state home, so that each state home has a schedule of its own in the crontab that they share. */
export const DRILL_ENTRY = 'drill ';
/** Name of the task on Windows. */
export const DRILL_TASK = 'nkat-recover drill';
/** Longest command that Debian's cron takes; it refuses a longer one. Source: MAX_COMMAND in its cron.h. */
const LONGEST_COMMAND = 990;
/** Longest command line of a task. Source: the help of schtasks /Create. */
const LONGEST_TASK = 261;
/** Lines of the log that cron mails to the user after a drill that was not good: where the reasons stand. */
const MAILED_LINES = 20;

export interface DrillPlace {
  readonly program: ServiceProgram;
  /** What each drill says goes there. */
  readonly log: string;
}

/** Steps, or why they cannot be. */
export type DrillPlan =
  | { readonly steps: readonly ServiceStep[]; readonly problem: null }
  | { readonly steps: null; readonly problem: string };

/** The name of the entry for this state home. */
export function drillEntryName(home: string): string {
  return DRILL_ENTRY + home;
}

/** In the crontab of this user. @param home the state home that is drilled */
export function cronSteps(schedule: CronSchedule, home: string, place: DrillPlace): DrillPlan {
  const { words, environment } = place.program;
  if (/[\r\n]/.test([home, place.log, ...words].join(''))) {
    return problemOf('a line of a crontab cannot hold a path with a line break in it');
  }
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${cronWord(value)}`);
  const log = cronWord(place.log);
  // The log tells when; a drill that was not good is told by mail, where the machine has mail.
  const command = `{ date; ${[...variables, ...words.map(cronWord)].join(' ')}; } >> ${log} 2>&1 || tail -n ${MAILED_LINES} ${log}`;
  const bytes = Buffer.byteLength(command);
  if (bytes > LONGEST_COMMAND) {
    return problemOf(`cron takes a command of ${LONGEST_COMMAND} bytes, and with these paths it has ${bytes}`);
  }
  return {
    steps: [{ kind: 'cron-entry', name: drillEntryName(home), entry: `${schedule.text} ${command}` }],
    problem: null,
  };
}

/** In the task scheduler of Windows. */
export function taskSteps(schedule: CronSchedule, { program, log }: DrillPlace): DrillPlan {
  const times = taskTimes(schedule);
  if (times === null) {
    const words = `the task scheduler is given simple times only: every hour, day, week or month ("0 3 * * 0", "@daily")`;
    return problemOf(`${words}, and not ${JSON.stringify(schedule.text)}`);
  }
  const paths = [log, ...program.words, ...Object.values(program.environment)];
  if (paths.some((path) => /["%\r\n]/.test(path))) return problemOf('cmd.exe cannot be given a path with " or % in it');
  // A task has no environment of its own, and nothing that writes what it says into a file.
  const sets = Object.entries(program.environment).map(([name, value]) => `set "${name}=${value}"&& `);
  const line = program.words.map((word) => (/^[\w@+=:,./\\-]+$/.test(word) ? word : `"${word}"`)).join(' ');
  const run = `cmd /d /s /c "${sets.join('')}${line} >> "${log}" 2>&1"`;
  if (run.length > LONGEST_TASK) {
    return problemOf(`a task takes a command of ${LONGEST_TASK} characters, and with these paths it has ${run.length}`);
  }
  return { steps: [schtasks('/Create', '/F', '/TN', DRILL_TASK, ...times, '/TR', run)], problem: null };
}

export function removeTaskSteps(): readonly ServiceStep[] {
  return [schtasks('/Delete', '/F', '/TN', DRILL_TASK)];
}

function schtasks(...words: readonly string[]): ServiceStep {
  return { kind: 'command', words: ['schtasks', ...words], otherwise: null };
}

const TASK_DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Null: the task scheduler has no single word for it. */
function taskTimes(schedule: CronSchedule): readonly string[] | null {
  const { minutes, hours, daysOfMonth, months, daysOfWeek } = schedule;
  const minute = only(minutes);
  if (minute === null || months.size < 12) return null;
  const everyDate = daysOfMonth.size === 31;
  const everyDay = daysOfWeek.size === 7;
  if (hours.size === 24) return everyDate && everyDay ? ['/SC', 'HOURLY', '/ST', clock(0, minute)] : null;
  const hour = only(hours);
  if (hour === null) return null;
  const at = ['/ST', clock(hour, minute)];
  if (everyDate && everyDay) return ['/SC', 'DAILY', ...at];
  if (everyDate) return ['/SC', 'WEEKLY', '/D', TASK_DAYS.filter((_, day) => daysOfWeek.has(day)).join(','), ...at];
  const date = only(daysOfMonth);
  return date === null || !everyDay ? null : ['/SC', 'MONTHLY', '/D', String(date), ...at];
}

function only(values: ReadonlySet<number>): number | null {
  const [first = null] = values;
  return values.size === 1 ? first : null;
}

function clock(hour: number, minute: number): string {
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}

function problemOf(problem: string): DrillPlan {
  return { steps: null, problem };
}
