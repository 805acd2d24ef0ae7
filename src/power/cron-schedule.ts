/**
 * When a line of a crontab runs: read strictly, so that what cron would refuse, or never run, is told in words before it
 * is installed. Pure. Source: crontab(5) of Debian's cron.
 */

export interface CronSchedule {
  /** As it goes into the crontab: single spaces. */
  readonly text: string;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday, and so is 7. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** Both kinds of day are given: then either is enough. */
  readonly eitherDay: boolean;
}

export type ReadCron =
  | { readonly schedule: CronSchedule; readonly problem: null }
  | { readonly schedule: null; readonly problem: string };

interface Field {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** Words for its numbers, from `low` on. */
  readonly words: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', low: 0, high: 59, words: [] },
  { name: 'hour', low: 0, high: 23, words: [] },
  { name: 'day of the month', low: 1, high: 31, words: [] },
  {
    name: 'month',
    low: 1,
    high: 12,
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of the week', low: 0, high: 7, words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

const WORDS: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/** The 29th of February comes within so many days, also around 2100. */
const SEARCHED_DAYS = 8 * 366;

export function readCron(given: string): ReadCron {
  const text = given.trim().replaceAll(/[ \t]+/g, ' ');
  if (text === '@reboot') return problemOf('@reboot would rehearse a recovery while the machine makes a real one');
  if (text.startsWith('@') && !Object.hasOwn(WORDS, text)) {
    return problemOf(`${JSON.stringify(text)} is not one of ${Object.keys(WORDS).join(', ')}`);
  }
  const parts = (WORDS[text] ?? text).split(' ');
  if (parts.length !== FIELDS.length || text === '') {
    const count = text === '' ? 'none' : String(parts.length);
    return problemOf(`five fields are needed (${FIELDS.map(({ name }) => name).join(', ')}), and there are ${count}`);
  }
  const sets: ReadonlySet<number>[] = [];
  for (const [index, field] of FIELDS.entries()) {
    const read = readField(parts[index] ?? '', field);
    if (typeof read === 'string') return problemOf(`the ${field.name} ${read}`);
    sets.push(read);
  }
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = sets;
  if (!minutes || !hours || !daysOfMonth || !months || !daysOfWeek) throw new RangeError('a field has no set');
  const schedule: CronSchedule = {
    text,
    minutes,
    hours,
    daysOfMonth,
    months,
    daysOfWeek: new Set([...daysOfWeek].map((day) => day % 7)),
    eitherDay: !parts[2]?.startsWith('*') && !parts[4]?.startsWith('*'),
  };
  // Any year serves to see whether it ever comes.
  if (nextRun(schedule, new Date(2000, 0, 1)) === null) return problemOf('that day never comes');
  return { schedule, problem: null };
}

/** The next minute at which it runs, in the time zone of this machine; null: there is none in years. */
export function nextRun(schedule: CronSchedule, after: Date): Date | null {
  for (let days = 0; days < SEARCHED_DAYS; days++) {
    const day = new Date(after.getFullYear(), after.getMonth(), after.getDate() + days);
    if (!isDayOf(schedule, day)) continue;
    const hours = [...schedule.hours].sort(byNumber);
    const minutes = [...schedule.minutes].sort(byNumber);
    for (const hour of hours) {
      for (const minute of minutes) {
        const at = new Date(day.getFullYear(), day.getMonth(), day.getDate(), hour, minute);
        if (at > after) return at;
      }
    }
  }
  return null;
}

function isDayOf({ daysOfMonth, months, daysOfWeek, eitherDay }: CronSchedule, day: Date): boolean {
  if (!months.has(day.getMonth() + 1)) return false;
  const [ofMonth, ofWeek] = [daysOfMonth.has(day.getDate()), daysOfWeek.has(day.getDay())];
  return eitherDay ? ofMonth || ofWeek : ofMonth && ofWeek;
}

/** What it stands for, or what is wrong with it. */
function readField(text: string, field: Field): ReadonlySet<number> | string {
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const [, range = '', step] = /^([^/]*)(?:\/(\d{1,4}))?$/.exec(part) ?? [];
    const [first = '', last, ...more] = range.split('-');
    const low = range === '*' ? field.low : numberOf(first, field);
    const high = range === '*' ? field.high : last === undefined ? low : numberOf(last, field);
    if (low === null || high === null || more.length > 0) return `cannot be ${JSON.stringify(part)}`;
    if (low < field.low || high > field.high) {
      return `is from ${field.low} to ${field.high}, and cannot be ${JSON.stringify(part)}`;
    }
    if (low > high) return `goes backwards in ${JSON.stringify(part)}`;
    if (step !== undefined && (Number(step) === 0 || (range !== '*' && last === undefined))) {
      return `has a step that cannot be, in ${JSON.stringify(part)}`;
    }
    for (let value = low; value <= high; value += Number(step ?? 1)) found.add(value);
  }
  return found;
}

function numberOf(text: string, { words, low }: Field): number | null {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  const at = words.indexOf(text.toLowerCase());
  return at < 0 ? null : at + low;
}

function byNumber(one: number, other: number): number {
  return one - other;
}

function problemOf(problem: string): ReadCron {
  return { schedule: null, problem };
}
