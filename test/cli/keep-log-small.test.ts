/** What cron's shell appends to for months stays small, and nothing that was said of the present run is lost. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keepLogSmall } from '../../src/cli/service/keep-log-small.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { World } from './world.ts';

const OLD = `${'what earlier drills said\n'.repeat(50_000)}`;
const DATE = 'Sun Nov 29 03:00:00 UTC 2026\n';

test('a drill whose output is the log begins a small one, with the date that the shell wrote', async () => {
  const world = new World();
  mkdirSync(world.home.logs, { recursive: true });
  const log = join(world.home.logs, 'drill.log');
  writeFileSync(log, OLD);
  const line = `{ printf '${DATE.trim()}\\n'; $NKAT drill; } >> ${log} 2>&1; echo after >> ${log}`;
  await world.shell(line);
  expect(readFileSync(`${log}.1`, 'utf8')).toBe(OLD + DATE);
  const text = readFileSync(log, 'utf8');
  expect(text.startsWith(`${DATE}nkat-recover: cannot find the session`)).toBe(true);
  expect(text.endsWith('after\n')).toBe(true);
  // The next one finds nothing to do, and leaves the old one alone.
  await world.shell(line);
  expect(readFileSync(log, 'utf8')).toBe(text + text);
  expect(readFileSync(`${log}.1`, 'utf8')).toBe(OLD + DATE);
});

test('a recovery at boot too', async () => {
  const world = new World();
  mkdirSync(world.home.logs, { recursive: true });
  const log = join(world.home.logs, 'service.log');
  writeFileSync(log, OLD);
  await world.shell(`$NKAT recover >> ${log} 2>&1`);
  expect(readFileSync(`${log}.1`, 'utf8')).toBe(OLD);
  expect(readFileSync(log, 'utf8').length).toBeLessThan(1_000);
});

test('a log that is not our output is left alone; one that cannot be moved is told', () => {
  const directory = temporaryDirectory();
  const log = join(directory, 'drill.log');
  writeFileSync(log, OLD);
  writeFileSync(join(directory, 'another'), OLD);
  const another = openSync(join(directory, 'another'), 'a');
  expect(keepLogSmall(log, another)).toBeNull();
  closeSync(another);
  expect(readFileSync(log, 'utf8')).toBe(OLD);
  expect(existsSync(`${log}.1`)).toBe(false);
  mkdirSync(`${log}.1`);
  const own = openSync(log, 'a');
  expect(keepLogSmall(log, own)).toContain('cannot be kept small');
  closeSync(own);
  expect(readFileSync(log, 'utf8')).toBe(OLD);
});
