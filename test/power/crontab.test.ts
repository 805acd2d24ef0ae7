import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  cronWord,
  entryNames,
  findEntry,
  putEntry,
  readCrontab,
  removeEntry,
  writeCrontab,
} from '../../src/power/crontab.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const OTHERS = '# my jobs\nMAILTO=me\n\n0 5 * * * backup --all  # 50\\% of it';

test.each([
  ['nothing', ''],
  ['jobs of others', `${OTHERS}\n`],
  ['a last line without an end', OTHERS],
])('put, found, replaced and removed beside %s', (_, before) => {
  const one = putEntry(before, 'recover', '@reboot one');
  expect(one.startsWith(before)).toBe(true);
  expect(findEntry(one, 'recover')).toBe('@reboot one');
  // Twice is once.
  expect(putEntry(one, 'recover', '@reboot one')).toBe(one);
  const both = putEntry(one, 'drill weekly', '0 3 * * 0 drill');
  const changed = putEntry(both, 'recover', '@reboot two');
  expect(findEntry(changed, 'recover')).toBe('@reboot two');
  expect(changed.replace('two', 'one')).toBe(both);
  expect(entryNames(changed)).toEqual(['recover', 'drill weekly']);
  expect(entryNames(changed, 'drill ')).toEqual(['drill weekly']);
  const rest = removeEntry(removeEntry(changed, 'recover'), 'drill weekly');
  expect(rest).toBe(before === '' || before.endsWith('\n') ? before : `${before}\n`);
  expect(removeEntry(rest, 'recover')).toBe(rest);
});

test('an entry of two lines is a bug, not two jobs', () => {
  expect(() => putEntry('', 'recover', 'one\n* * * * * two')).toThrow(RangeError);
});

test('words reach the shell of cron as they are', () => {
  expect(cronWord('/usr/bin/node')).toBe('/usr/bin/node');
  expect(cronWord('/home/my home/a')).toBe("'/home/my home/a'");
  expect(cronWord("it's 50%")).toBe("'it'\\''s 50\\%'");
});

/** A `crontab` that keeps its file beside itself and answers as the one of Debian. */
function fakeCron(script: string): { path: string; environment: NodeJS.ProcessEnv } {
  const directory = temporaryDirectory();
  const program = join(directory, 'crontab');
  writeFileSync(program, `#!/bin/sh\nfile='${join(directory, 'tab')}'\n${script}\n`);
  chmodSync(program, 0o755);
  return { path: join(directory, 'tab'), environment: { PATH: `${directory}:/usr/bin:/bin` } };
}

test('read and written through crontab; no crontab yet is an empty one', async () => {
  const { path, environment } = fakeCron(
    'if [ "$1" = -l ]; then if [ -f "$file" ]; then cat "$file"; else echo "no crontab for me" >&2; exit 1; fi; else cat > "$file"; fi',
  );
  expect(await readCrontab(environment)).toBe('');
  await writeCrontab(`${OTHERS}\n`, environment);
  expect(readFileSync(path, 'utf8')).toBe(`${OTHERS}\n`);
  expect(await readCrontab(environment)).toBe(`${OTHERS}\n`);
});

test('a cron that refuses is an error, and what it said is told; none at all too', async () => {
  const { path, environment } = fakeCron('echo "you may not use cron" >&2; exit 1');
  await expect(readCrontab(environment)).rejects.toMatchObject({ code: 'preflight', message: 'you may not use cron' });
  await expect(writeCrontab('x'.repeat(1_000_000), environment)).rejects.toMatchObject({ code: 'preflight' });
  expect(existsSync(path)).toBe(false);
  await expect(readCrontab({ PATH: temporaryDirectory() })).rejects.toMatchObject({
    code: 'preflight',
    message: expect.stringContaining('no cron'),
  });
});
