import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { World } from './world.ts';

const OTHERS = '# 50\\% of it\n0 5 * * * backup --all\n';

let world: World;
let environment: Record<string, string>;
beforeEach(() => {
  world = new World();
  const bin = join(world.directory, 'bin');
  mkdirSync(bin);
  environment = { PATH: `${bin}:${process.env.PATH}` };
  writeFileSync(
    join(bin, 'crontab'),
    `#!/bin/sh\ntab='${tab()}'; if [ "$1" = -l ]; then cat "$tab"; else cat > "$tab"; fi\n`,
  );
  chmodSync(join(bin, 'crontab'), 0o755);
  writeFileSync(tab(), OTHERS);
});

function tab(): string {
  return join(world.directory, 'tab');
}

function schedule(...args: readonly string[]) {
  return world.cli(['drill', 'schedule', ...args], environment);
}

test('weekly, then at another time in its place, listed, removed; the entries of others stay', async () => {
  const shown = await schedule('--dry-run');
  expect(shown).toMatchObject({ code: 0, stderr: expect.stringContaining('Would put into the crontab:') });
  expect(readFileSync(tab(), 'utf8')).toBe(OTHERS);
  expect(existsSync(world.home.logs)).toBe(false);

  const put = await schedule();
  expect(put).toMatchObject({ code: 0, stderr: expect.stringContaining('The next drill is on Sunday ') });
  expect(put.stderr).toContain(join(world.home.logs, 'drill.log'));
  const weekly = readFileSync(tab(), 'utf8');
  expect(weekly.startsWith(OTHERS)).toBe(true);
  const [mark, entry = '', ...rest] = weekly.slice(OTHERS.length).split('\n');
  expect([mark, rest]).toEqual([`# nkat-recover: drill ${world.home.directory}`, ['']]);
  expect(entry).toMatch(/^0 3 \* \* 0 \{ date; NKAT_HOME=\/\S+ \/\S+node \/\S+\/bin\/nkat-recover\.js drill; \} >> \//);
  expect(await schedule()).toMatchObject({ stderr: expect.stringContaining('The crontab has it already') });
  expect(readFileSync(tab(), 'utf8')).toBe(weekly);

  const other = ['--cron', ' 30  4 * * mon', '--all', '--level', '3', '--within', '5m', '--inject', 'kill'];
  expect(await schedule(...other)).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/Changed in the crontab:\n {4}- 0 3 .*\n {4}\+ 30 4 /),
  });
  const changed = readFileSync(tab(), 'utf8');
  expect(changed.startsWith(`${OTHERS}${mark}\n30 4 * * mon {`)).toBe(true);
  expect(changed).toContain('nkat-recover.js drill --all --level 3 --within 5m --inject kill; }');
  expect(changed.split('\n').length).toBe(weekly.split('\n').length);

  // Another state home has its own.
  const elsewhere = { ...environment, NKAT_HOME: join(world.directory, 'b') };
  expect(await world.cli(['drill', 'schedule', '--list'], elsewhere)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(
      `Scheduled for another state home, ${world.home.directory}: 30 4 * * mon; next Monday`,
    ),
  });
  await world.cli(['drill', 'schedule'], elsewhere);
  const listed = JSON.parse((await schedule('--list', '--json')).stdout);
  expect(listed).toMatchObject({
    version: 1,
    schedules: [
      { home: world.home.directory, own: true, cron: '30 4 * * mon', next: expect.stringContaining('T') },
      { home: elsewhere.NKAT_HOME, own: false, cron: '0 3 * * 0' },
    ],
  });
  await world.cli(['drill', 'schedule', '--remove'], elsewhere);
  expect(readFileSync(tab(), 'utf8')).toBe(changed);

  expect(await schedule('--remove', '--dry-run')).toMatchObject({ stderr: expect.stringContaining('Would take from') });
  expect(await schedule('--remove')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('Took from the crontab'),
  });
  expect(readFileSync(tab(), 'utf8')).toBe(OTHERS);
  expect(await schedule('--remove')).toMatchObject({ code: 0, stderr: expect.stringContaining('no entry') });
  expect(await schedule('--list')).toMatchObject({ code: 0, stdout: expect.stringContaining('No drill is scheduled') });
});

test.each([
  [['--cron', '0 3 * *'], 64, 'there are 4'],
  [['--cron', '0 3 30 2 *'], 64, 'that day never comes'],
  [['--inject', 'gpu-lost'], 64, 'leaves them to training'],
  [['--level', '1', '--within', '5s'], 64, '--within'],
  [['--level', '2', '--inject', 'kill'], 64, 'level 3'],
  [['--all', 'night'], 64, '--all is every session'],
  [['--list', '--remove'], 64, 'two commands'],
  [['--remove', '--cron', '@daily'], 64, '--remove takes no more'],
  [['--cron', '0 3 * *', '--bogus'], 64, 'See nkat-recover drill schedule --help.'],
  [['nobody'], 66, 'there is no session yet'],
] as const)('%j is refused before anything is changed', async (args, code, words) => {
  expect(await schedule(...args)).toMatchObject({ code, stderr: expect.stringContaining(words) });
  expect(readFileSync(tab(), 'utf8')).toBe(OTHERS);
});

test('a session that there is may be named; its drill is of that one', async () => {
  await world.addSession('20261122_120000_aaaa', { row: { name: 'night' }, steps: [1] });
  expect(await schedule('night', 'latest')).toMatchObject({ code: 0 });
  expect(readFileSync(tab(), 'utf8')).toContain('nkat-recover.js drill night latest; }');
});

test('without cron the package that has it is named', async () => {
  const none = join(world.directory, 'none');
  mkdirSync(none);
  expect(await world.cli(['drill', 'schedule'], { PATH: none })).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/there is no cron on this machine[\s\S]*apt-get install cron/),
  });
});
