import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { nextRun, readCron } from '../../src/power/cron-schedule.ts';

function next(text: string, after: string): string | null {
  const { schedule, problem } = readCron(text);
  if (schedule === null) throw new Error(problem);
  const at = nextRun(schedule, new Date(after));
  // As local time: what a crontab means.
  return at === null ? null : new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

test.each([
  ['0 3 * * 0', '2026-11-23T12:00', '2026-11-29T03:00'],
  ['0 3 * * 7', '2026-11-29T03:00', '2026-12-06T03:00'],
  ['0 3 * * sun', '2026-11-29T02:59', '2026-11-29T03:00'],
  ['  */15 * *\t* *  ', '2026-11-23T12:31', '2026-11-23T12:45'],
  ['5,35 8-10/2 * * *', '2026-11-23T08:36', '2026-11-23T10:05'],
  ['0 0 * * MON-FRI', '2026-11-27T12:00', '2026-11-30T00:00'],
  // Both kinds of day: either is enough; a star in one leaves the other.
  ['0 0 1 * 3', '2026-11-23T12:00', '2026-11-25T00:00'],
  ['0 0 */2 * 3', '2026-11-23T12:00', '2026-11-25T00:00'],
  ['0 0 29 2 *', '2026-11-23T12:00', '2028-02-29T00:00'],
  ['@daily', '2026-12-31T12:00', '2027-01-01T00:00'],
  ['@yearly', '2026-11-23T12:00', '2027-01-01T00:00'],
])('%j after %s comes at %s', (text, after, expected) => {
  expect(next(text, after)).toBe(expected);
});

test('what stands in the crontab has single spaces, and keeps its words', () => {
  expect(readCron(' 0  3 *\t* Sun ').schedule?.text).toBe('0 3 * * Sun');
  expect(readCron('@weekly').schedule?.text).toBe('@weekly');
});

test.each([
  ['', 'there are none'],
  ['0 3 * *', 'there are 4'],
  ['0 3 * * 0 root', 'there are 6'],
  ['60 3 * * 0', 'the minute is from 0 to 59'],
  ['0 24 * * 0', 'the hour is from 0 to 23'],
  ['0 3 0 * *', 'the day of the month is from 1 to 31'],
  ['0 3 * 13 *', 'the month is from 1 to 12'],
  ['0 3 * * 8', 'the day of the week is from 0 to 7'],
  ['0 3 * * sunday', 'the day of the week cannot be "sunday"'],
  ['0 10-8 * * *', 'goes backwards in "10-8"'],
  ['*/0 3 * * *', 'step'],
  ['5/10 3 * * *', 'step'],
  ['0 3,, * * *', 'the hour cannot be ""'],
  ['1-2-3 3 * * *', 'the minute cannot be'],
  ['-1 3 * * *', 'the minute cannot be'],
  ['0 3 * * 0%', 'the day of the week cannot be'],
  ['0 3 30 2 *', 'never comes'],
  ['0 3 31 4,6,9,11 *', 'never comes'],
  ['@reboot', 'while the machine makes a real one'],
  ['@noon', 'is not one of @hourly'],
  ['@toString', 'is not one of'],
])('%j is refused in words: %s', (text, words) => {
  expect(readCron(text)).toMatchObject({ schedule: null, problem: expect.stringContaining(words) });
});

test('the next time is one of this machine, across the change of its clocks', () => {
  const script = `
    import { nextRun, readCron } from '${new URL('../../dist/power/cron-schedule.js', import.meta.url)}';
    console.log(nextRun(readCron('0 3 * * 0').schedule, new Date('2026-10-24T12:00:00Z')).toISOString());`;
  const environment = { ...process.env, TZ: 'Europe/Berlin' };
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { env: environment });
  expect(said.toString().trim()).toBe('2026-10-25T02:00:00.000Z');
});
