/** The unit that `service install` writes, run by the real systemd: it brings back what a cut interrupted, and harms nothing. */
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { RealSystemd, whereSystemdCanRun } from '../rig/real-systemd.ts';
import { waitFor } from '../rig/wait-for.ts';
import { type Run, testInWorld, type World } from './rig.ts';

const UNIT = 'nkat-recover.service';
/** Three boots of a machine and four starts of a run each. */
const LIMIT = { timeout: 400_000 };

interface Listed {
  readonly sessions: readonly {
    readonly name: string;
    readonly state: string;
    readonly step: number;
    readonly lastCheckpointStep: number;
  }[];
}

/** As a process of that machine sees them: a session is running in its own boot only. */
async function sessionsIn(machine: RealSystemd, world: World): Promise<Listed['sessions']> {
  const run = world.startUnder(machine.inside, ['list', '--json'], {});
  await run.end();
  return (JSON.parse(run.stdout) as Listed).sessions;
}

/** Looked at again and again: nobody tells from there. */
async function sessionsUntil(machine: RealSystemd, world: World, holds: (sessions: Listed['sessions']) => boolean) {
  while (!holds(await sessionsIn(machine, world)));
}

async function unitUntil(machine: RealSystemd, holds: (unit: Readonly<Record<string, string>>) => boolean) {
  let unit = await machine.show(UNIT);
  let newest: Promise<void> | null = null;
  await waitFor(
    () => `the unit, which is ${unit.ActiveState}, ${unit.StatusText}`,
    () => {
      newest ??= machine.show(UNIT).then((shown) => {
        unit = shown;
        newest = null;
      });
      return holds(unit);
    },
  );
  await newest;
  return unit;
}

const areTraining = (sessions: Listed['sessions']): boolean => sessions.every(({ state }) => state === 'running');

function furtherThan(before: Listed['sessions']): (after: Listed['sessions']) => boolean {
  return (after) => after.every(({ state, step }, at) => state === 'running' && step > (before[at]?.step ?? 0));
}

const NAME =
  'its real unit: told of, watched, harmless when it is killed; after a cut it brings two sessions back by itself and lets them save at a stop';
whereSystemdCanRun(NAME, () => {
  testInWorld(NAME, LIMIT, async ({ world }) => {
    const start = (name: string): Run =>
      world.run(world.endless(), ['--name', name, '--save-every-steps', '10', '--power-settle', 'off']);
    const runs = [start('one'), start('two')];
    await Promise.all(runs.map((run) => run.event('saved')));
    await world.cutPower();

    const machine = new RealSystemd(world.directory);
    await machine.boot();
    const install = world.startUnder(machine.inside, ['service', 'install'], {});
    await install.ended(0);
    expect(install.stderr).toContain('Wrote /etc/systemd/system/nkat-recover.service');
    // Only its patience is another one.
    await mkdir(join(machine.units, `${UNIT}.d`));
    writeFileSync(join(machine.units, `${UNIT}.d`, 'soon.conf'), '[Service]\nWatchdogSec=20\nRestartSec=1\n');
    await machine.systemctl('daemon-reload');
    await world.startUnder(machine.inside, ['service', 'status'], {}).ended(0);
    // Returns when it has said that it is ready.
    await machine.systemctl('start', UNIT);
    await sessionsUntil(machine, world, areTraining);
    const told = await unitUntil(
      machine,
      ({ StatusText, WatchdogTimestampMonotonic, ActiveEnterTimestampMonotonic }) => {
        return (
          /step \d+/.test(StatusText ?? '') &&
          Number(WatchdogTimestampMonotonic) > Number(ActiveEnterTimestampMonotonic)
        );
      },
    );
    expect(told).toMatchObject({ ActiveState: 'active', WatchdogUSec: '20s', NRestarts: '0' });

    await machine.kill(told.MainPID);
    await unitUntil(machine, ({ NRestarts }) => NRestarts === '1');
    const before = await sessionsIn(machine, world);
    expect(areTraining(before)).toBe(true);
    await sessionsUntil(machine, world, furtherThan(before));

    await machine.cut();
    await machine.boot();
    // Nobody started it.
    await sessionsUntil(machine, world, areTraining);
    // Once may be a checkpoint that the index had not heard of; a worker that has not connected yet could save nothing.
    for (const _ of ['found', 'trained'])
      await sessionsUntil(machine, world, furtherThan(await sessionsIn(machine, world)));
    await machine.systemctl('stop', UNIT);
    expect(await machine.show(UNIT)).toMatchObject({ ActiveState: 'inactive', Result: 'success' });
    const stopped = await sessionsIn(machine, world);
    expect(stopped.map(({ state }) => state)).toEqual(['interrupted', 'interrupted']);
    expect(stopped.map(({ lastCheckpointStep }) => lastCheckpointStep)).toEqual(stopped.map(({ step }) => step));
  });
});
