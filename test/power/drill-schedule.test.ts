import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cronIsRunning } from '../../src/power/cron-daemon.ts';
import { type CronSchedule, readCron } from '../../src/power/cron-schedule.ts';
import { cronSteps, type DrillPlace, removeTaskSteps, taskSteps } from '../../src/power/drill-schedule.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const AWKWARD = '/home/a b/100% "new"/$HOME\\b\'in';

function scheduleOf(text: string): CronSchedule {
  const { schedule, problem } = readCron(text);
  if (schedule === null) throw new Error(problem);
  return schedule;
}

function entryOf(place: DrillPlace, home = '/home'): string {
  const [step] = cronSteps(scheduleOf('0 3 * * 0'), home, place).steps ?? [];
  if (step?.kind !== 'cron-entry' || step.entry === null) throw new Error('no entry');
  return step.entry;
}

/** As cron does it: up to the first bare `%`, with `\%` for one. */
function asCron(entry: string): { readonly stdout: string; readonly status: number | null } {
  const command = entry.replace('0 3 * * 0 ', '');
  const [, line = ''] = /^((?:[^%\\]|\\.)*)/s.exec(command) ?? [];
  expect(line).toBe(command);
  const { stdout, stderr, status } = spawnSync('sh', ['-c', command.replaceAll('\\%', '%')], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return { stdout, status };
}

test('the entry gives the very same words, and what is said goes into the log with its time', () => {
  const log = join(temporaryDirectory(), "it's 100% a log");
  const words = ['sh', '-c', 'printf "%s|" "$NKAT_HOME" "$@"; echo oops >&2', 'nkat-recover', AWKWARD, '%'];
  const ran = asCron(entryOf({ program: { words, environment: { NKAT_HOME: AWKWARD } }, log }));
  // A drill that was good is no mail.
  expect(ran).toEqual({ stdout: '', status: 0 });
  const [when = '', said] = readFileSync(log, 'utf8').split('\n');
  expect(when).toMatch(/\d\d:\d\d:\d\d/);
  expect(said).toBe(`${AWKWARD}|${AWKWARD}|%|oops`);
});

test('one that was not good is mailed with the end of the log', () => {
  const log = join(temporaryDirectory(), 'log');
  writeFileSync(log, 'old\n'.repeat(100));
  const words = ['sh', '-c', 'echo Problem: gone; exit 65', 'nkat-recover'];
  const { stdout } = asCron(entryOf({ program: { words, environment: {} }, log }));
  expect(stdout).toMatch(/^(old\n){18}.+\nProblem: gone\n$/);
});

test('what no crontab can hold is refused in words', () => {
  const place: DrillPlace = { program: { words: ['nkat-recover'], environment: {} }, log: '/log' };
  expect(cronSteps(scheduleOf('@daily'), '/home\n* * * * * two', place)).toMatchObject({
    steps: null,
    problem: expect.stringContaining('line break'),
  });
  const long = { ...place, log: `/${'ä'.repeat(300)}` };
  expect(cronSteps(scheduleOf('@daily'), '/home', long)).toMatchObject({
    steps: null,
    problem: expect.stringMatching(/990 bytes.* it has 1\d\d\d$/),
  });
});

const WINDOWS: DrillPlace = {
  program: {
    words: ['C:\\Program Files\\node.exe', 'C:\\nkat-recover.js', 'drill', '--all'],
    environment: { NKAT_HOME: 'D:\\my runs' },
  },
  log: 'D:\\my runs\\logs\\drill.log',
};

test.each([
  ['0 3 * * 0', ['/SC', 'WEEKLY', '/D', 'SUN', '/ST', '03:00']],
  ['30 4 * * mon,5', ['/SC', 'WEEKLY', '/D', 'MON,FRI', '/ST', '04:30']],
  ['@daily', ['/SC', 'DAILY', '/ST', '00:00']],
  ['5 * * * *', ['/SC', 'HOURLY', '/ST', '00:05']],
  ['15 22 28 * *', ['/SC', 'MONTHLY', '/D', '28', '/ST', '22:15']],
])('a task of Windows for %j', (text, times) => {
  const run =
    'cmd /d /s /c "set "NKAT_HOME=D:\\my runs"&& "C:\\Program Files\\node.exe" C:\\nkat-recover.js drill --all >> "D:\\my runs\\logs\\drill.log" 2>&1"';
  expect(taskSteps(scheduleOf(text), WINDOWS).steps).toEqual([
    {
      kind: 'command',
      words: ['schtasks', '/Create', '/F', '/TN', 'nkat-recover drill', ...times, '/TR', run],
      otherwise: null,
    },
  ]);
  expect(removeTaskSteps()).toMatchObject([{ words: ['schtasks', '/Delete', '/F', '/TN', 'nkat-recover drill'] }]);
});

test.each(['*/5 * * * *', '0 3 1 * 0', '0 3 * 6 *', '0 3,4 * * *', '0 * * * 0', '0 3 1,15 * *'])(
  'the task scheduler is not asked for %j, which it would do otherwise',
  (text) => {
    expect(taskSteps(scheduleOf(text), WINDOWS)).toMatchObject({
      steps: null,
      problem: expect.stringContaining('simple times'),
    });
  },
);

test('a task whose words cmd.exe would read otherwise, or that are too many, is refused', () => {
  expect(taskSteps(scheduleOf('@daily'), { ...WINDOWS, log: 'D:\\100%\\log' }).problem).toContain('cmd.exe');
  expect(taskSteps(scheduleOf('@daily'), { ...WINDOWS, log: `D:\\${'x'.repeat(200)}` }).problem).toContain('261');
});

test('a cron that runs is known by its process', () => {
  const table = temporaryDirectory();
  for (const [pid, name] of [
    ['1', 'init'],
    ['20', 'crontab'],
    ['self', 'cron'],
  ] as const) {
    mkdirSync(join(table, pid));
    writeFileSync(join(table, pid, 'comm'), `${name}\n`);
  }
  // One that ended while it was looked at.
  mkdirSync(join(table, '30'));
  expect(cronIsRunning(table, 'linux')).toBe(false);
  writeFileSync(join(table, '30', 'comm'), 'crond\n');
  expect(cronIsRunning(table, 'linux')).toBe(true);
  expect(cronIsRunning(table, 'darwin')).toBeNull();
});
