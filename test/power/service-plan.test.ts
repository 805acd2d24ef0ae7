import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installSteps, removeSteps, type ServiceManager, type ServicePlace } from '../../src/power/service-plan.ts';
import { rebootEntry, unitText } from '../../src/power/service-unit.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const AWKWARD = '/home/a b/100% "new"/$HOME\\bin';
const program = { words: [join(AWKWARD, 'node'), 'recover'], environment: { NKAT_HOME: AWKWARD } };

function placeOf(manager: ServiceManager): ServicePlace {
  return { manager, program, unitDirectory: '/units', log: '/logs/service.log', user: 'ada' };
}

function commandsOf(steps: ReturnType<typeof installSteps>): string[] {
  return steps.flatMap((step) => (step.kind === 'command' ? [step.words.join(' ')] : []));
}

test('words of a unit mean themselves, whatever is in them', () => {
  const lines = unitText(program, 'default.target').split('\n');
  expect(lines).toContain('ExecStart="/home/a b/100%% \\"new\\"/$$HOME\\\\bin/node" "recover"');
  expect(lines).toContain('Environment="NKAT_HOME=/home/a b/100%% \\"new\\"/$HOME\\\\bin"');
  expect(() => unitText({ ...program, words: ['/bin/a\nExecStop=b'] }, 'default.target')).toThrow(RangeError);
});

test('the entry of a crontab gives the shell the very same words', () => {
  const log = join(temporaryDirectory(), "it's a log");
  const entry = rebootEntry({ words: ['printf', '%s|', AWKWARD], environment: { NKAT_HOME: AWKWARD } }, log);
  // cron turns \% into % before the shell sees it.
  const line = entry.replace(/^@reboot /, '').replaceAll('\\%', '%');
  expect(spawnSync('/bin/sh', ['-c', line]).status).toBe(0);
  expect(readFileSync(log, 'utf8')).toBe(`${AWKWARD}|`);
});

test('a user’s unit lingers, and goes on without that; one of the system needs no such thing', () => {
  const user = installSteps(placeOf('systemd-user'));
  expect(user[0]).toMatchObject({ kind: 'write', path: '/units/nkat-recover.service' });
  expect(commandsOf(user)).toEqual([
    'systemctl --user daemon-reload',
    'systemctl --user enable nkat-recover.service',
    'loginctl enable-linger ada',
  ]);
  expect(user.at(-1)).toMatchObject({ otherwise: expect.stringContaining('at boot') });
  expect(commandsOf(installSteps(placeOf('systemd-system')))).toEqual([
    'systemctl daemon-reload',
    'systemctl enable nkat-recover.service',
  ]);
});

test('removing undoes what installing did, and stops nothing that trains', () => {
  for (const manager of ['systemd-user', 'systemd-system'] as const) {
    const steps = removeSteps(placeOf(manager));
    expect(steps).toContainEqual({ kind: 'remove', path: '/units/nkat-recover.service' });
    expect(commandsOf(steps).join()).not.toMatch(/--now|stop/);
  }
  expect(removeSteps(placeOf('cron'))).toEqual([{ kind: 'cron-entry', name: 'nkat-recover', entry: null }]);
  expect(commandsOf(removeSteps(placeOf('task-scheduler')))).toEqual(['schtasks /Delete /F /TN nkat-recover']);
});
