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
  const one = putEntry(before, 'recover', '@reboot one nkat-recover');
  expect(one.startsWith(before)).toBe(true);
  expect(findEntry(one, 'recover')).toBe('@reboot one nkat-recover');
  // Twice is once.
  expect(putEntry(one, 'recover', '@reboot one nkat-recover')).toBe(one);
  const both = putEntry(one, 'drill weekly', '0 3 * * 0 nkat-recover drill');
  const changed = putEntry(both, 'recover', '@reboot two nkat-recover');
  expect(findEntry(changed, 'recover')).toBe('@reboot two nkat-recover');
  expect(changed.replace('two', 'one')).toBe(both);
  expect(entryNames(changed)).toEqual(['recover', 'drill weekly']);
  expect(entryNames(changed, 'drill ')).toEqual(['drill weekly']);
  const rest = removeEntry(removeEntry(changed, 'recover'), 'drill weekly');
  expect(rest).toBe(before === '' || before.endsWith('\n') ? before : `${before}\n`);
  expect(removeEntry(rest, 'recover')).toBe(rest);
});

test('a line that was taken away by hand leaves a mark alone: what follows it stays', () => {
  const mark = '# nkat-recover: drill /home';
  const left = `${mark}\n0 5 * * * backup --all\n`;
  expect(findEntry(left, 'drill /home')).toBeNull();
  expect(putEntry(left, 'drill /home', '@daily nkat-recover')).toBe(
    `${mark}\n@daily nkat-recover\n0 5 * * * backup --all\n`,
  );
  expect(removeEntry(left, 'drill /home')).toBe('0 5 * * * backup --all\n');
  expect(removeEntry(`${mark}\n${putEntry('', 'other', '@daily nkat-recover')}`, 'drill /home')).toBe(
    putEntry('', 'other', '@daily nkat-recover'),
  );
});

test('an entry that somebody copied is one again, and goes as one', () => {
  const one = putEntry(`${OTHERS}\n`, 'recover', '@reboot nkat-recover');
  const copied = `${one}# mine\n${putEntry('', 'recover', '@reboot nkat-recover 2')}@daily mine\n`;
  expect(entryNames(copied)).toEqual(['recover']);
  expect(putEntry(copied, 'recover', '@reboot nkat-recover 3')).toBe(
    `${putEntry(`${OTHERS}\n`, 'recover', '@reboot nkat-recover 3')}# mine\n@daily mine\n`,
  );
  expect(removeEntry(copied, 'recover')).toBe(`${OTHERS}\n# mine\n@daily mine\n`);
});

test('an entry of two lines is a bug, not two jobs', () => {
  expect(() => putEntry('', 'recover', 'nkat-recover\n* * * * * two')).toThrow(RangeError);
  expect(() => putEntry('', 'recover', 'nobody knows it again')).toThrow(RangeError);
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

test('what others wrote in another encoding stays, byte for byte; a home of any name is found again', async () => {
  const { path, environment } = fakeCron('if [ "$1" = -l ]; then cat "$file"; else cat > "$file"; fi');
  const others = Buffer.from('# caf\xe9 \xff\xfe\r\n0 5 * * * backup \xa0 \u0000\n', 'latin1');
  writeFileSync(path, others);
  const name = 'drill /home/søren/日記';
  const entry = '@daily nkat-recover /home/søren/日記';
  const put = putEntry(await readCrontab(environment), name, entry);
  await writeCrontab(put, environment);
  expect(readFileSync(path)).toEqual(
    Buffer.concat([others, Buffer.from(`# nkat-recover: ${name}\n${entry}\n`, 'utf8')]),
  );
  const read = await readCrontab(environment);
  expect(findEntry(read, name)).toBe(entry);
  expect(entryNames(read)).toEqual([name]);
  expect(putEntry(read, name, entry)).toBe(read);
  await writeCrontab(removeEntry(read, name), environment);
  expect(readFileSync(path)).toEqual(others);
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
