/** `service`: what it writes, that it is written once, and that everything else stays. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { statusLines } from '../../src/cli/commands/service.ts';
import { type Carrying, carryOut } from '../../src/cli/service/carry-out.ts';
import { managerOf } from '../../src/cli/service/place.ts';
import { cronIsRunning } from '../../src/power/cron-daemon.ts';
import { installSteps, removeSteps, type ServicePlace } from '../../src/power/service-plan.ts';
import { World } from './world.ts';

const OTHERS = '0 5 * * * backup --all\n';

let world: World;
let bin: string;
let environment: Record<string, string>;
beforeEach(() => {
  world = new World();
  bin = join(world.directory, 'bin');
  mkdirSync(bin);
  environment = { PATH: `${bin}:${process.env.PATH}` };
  program('crontab', `tab='${tab()}'; if [ "$1" = -l ]; then cat "$tab"; else cat > "$tab"; fi`);
  writeFileSync(tab(), OTHERS);
});

function tab(): string {
  return join(world.directory, 'tab');
}

function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

test('in the crontab: shown, installed, found, installed again, removed; the entries of others stay', async () => {
  const shown = await world.cli(['service', 'install', '--cron', '--dry-run'], environment);
  expect(shown).toMatchObject({ code: 0, stderr: expect.stringContaining('Would put into the crontab:') });
  expect(readFileSync(tab(), 'utf8')).toBe(OTHERS);
  expect((await world.cli(['service', 'status', '--cron'], environment)).code).toBe(78);

  await world.cli(['service', 'install', '--cron'], environment);
  const installed = readFileSync(tab(), 'utf8');
  expect(installed.startsWith(OTHERS)).toBe(true);
  expect(shown.stderr).toContain(installed.trimEnd().split('\n').at(-1));
  expect(await world.cli(['service', 'status', '--cron', '--json'], environment)).toMatchObject({
    code: cronIsRunning() === false ? 78 : 0,
    stdout: expect.stringContaining('"installed":"yes"'),
  });
  await world.cli(['service', 'install', '--cron'], environment);
  expect(readFileSync(tab(), 'utf8')).toBe(installed);

  const removed = await world.cli(['service', 'remove', '--cron'], environment);
  expect(removed.stderr).toContain('Took from the crontab');
  expect(readFileSync(tab(), 'utf8')).toBe(OTHERS);
});

test('what the crontab has is a command that works: it runs a recovery', async () => {
  await world.cli(['service', 'install', '--cron'], environment);
  const line = readFileSync(tab(), 'utf8').trimEnd().split('\n').at(-1) ?? '';
  const ran = await world.shell(line.replace(/^@reboot /, '').replaceAll('\\%', '%'), { NKAT_HOME: '/nowhere' });
  expect(ran.code).toBe(0);
  const log = readFileSync(join(world.home.logs, 'service.log'), 'utf8');
  expect(log).toContain('nothing to bring back');
});

test('an entry for another state home is told apart', async () => {
  await world.cli(['service', 'install', '--cron'], environment);
  const other = await world.cli(['service', 'status', '--cron'], {
    ...environment,
    NKAT_HOME: join(world.directory, 'b'),
  });
  expect(other).toMatchObject({ code: 78, stdout: expect.stringContaining('another program or state home') });
});

test('under systemd: the unit is written before it is enabled, a manager that refuses is an error with its words', async () => {
  const calls = join(world.directory, 'calls');
  program('systemctl', `[ -f "${world.directory}/units/nkat-recover.service" ] && echo "$@" >> '${calls}'`);
  program('loginctl', 'echo "not allowed" >&2; exit 1');
  const place: ServicePlace = {
    manager: 'systemd-user',
    program: { words: ['/bin/true', 'recover'], environment: {} },
    unitDirectory: join(world.directory, 'units'),
    log: '',
    user: 'ada',
  };
  const said: string[] = [];
  const carrying: Carrying = { dryRun: false, environment, say: ({ text }) => said.push(text) };
  await carryOut(installSteps(place), carrying);
  expect(readFileSync(calls, 'utf8')).toBe('--user daemon-reload\n--user enable nkat-recover.service\n');
  expect(said.join('\n')).toContain('not allowed; so it starts when ada logs in');
  await carryOut(removeSteps(place), { ...carrying, dryRun: true });
  expect(existsSync(join(place.unitDirectory, 'nkat-recover.service'))).toBe(true);
  program('systemctl', 'echo "no bus" >&2; exit 1');
  await expect(carryOut(removeSteps(place), carrying)).rejects.toMatchObject({
    code: 'preflight',
    message: expect.stringContaining('no bus'),
  });
});

test.each([
  [{ platform: 'linux', hasSystemd: true, isRoot: false }, false, 'systemd-user'],
  [{ platform: 'linux', hasSystemd: true, isRoot: true }, false, 'systemd-system'],
  [{ platform: 'linux', hasSystemd: true, isRoot: true }, true, 'cron'],
  [{ platform: 'linux', hasSystemd: false, isRoot: true }, false, 'cron'],
  [{ platform: 'darwin', hasSystemd: false, isRoot: false }, false, 'cron'],
  [{ platform: 'win32', hasSystemd: false, isRoot: false }, true, 'task-scheduler'],
] as const)('%o, crontab asked for %s: %s', (facts, cron, manager) => {
  expect(managerOf(facts, cron)).toBe(manager);
});

test('an entry that no cron would start is said to be none', () => {
  const found = { installed: 'yes', enabled: null, where: 'crontab' } as const;
  const wordsOf = (cronRuns: boolean | null): string[] =>
    statusLines({ ...found, cronRuns }, 'cron').map(({ text }) => text);
  expect(wordsOf(false)).toEqual([
    'Installed as the crontab of this user (crontab); but nothing would start it',
    'No cron runs on this machine now, and without it nothing is started at boot',
  ]);
  for (const cronRuns of [true, null]) expect(wordsOf(cronRuns).join()).toMatch(/; the next boot brings .* back$/);
});
