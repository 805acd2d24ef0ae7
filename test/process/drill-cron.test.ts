/** A drill that the real cron makes at its hour, from the entry that `drill schedule` wrote. */
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { whereCronRuns, withCron } from '../rig/real-cron.ts';
import { expectNothingLeft, foundIn, trained } from './drill-rig.ts';
import { testInWorld } from './rig.ts';

const NAME = 'cron comes to Sunday at three: the drill is made, logged and in the history, and other entries stay';

whereCronRuns(NAME, () => {
  testInWorld.concurrent(NAME, async ({ world }) => {
    await trained(world, { CONDA_PREFIX: '/opt/envs/night' });
    const found = join(world.directory, 'found');
    const mark = join(world.directory, 'another job ran');
    const tab = join(world.directory, 'tab');
    // Jobs have no environment but this: so the processes of the drill are known as this world's.
    const others = `NKAT_TEST_WORLD=${world.directory}\nNKAT_TEST_FOUND=${found}\n# mine\n0 3 * * 0 echo 100\\% > '${mark}'\n`;
    const wrapper = withCron(others, tab, '2026-11-29 02:58:30');
    const cron = world.startUnder(wrapper, ['drill', 'schedule', '--level', '3'], {});
    await cron.stderrSays('Sunday');
    const log = join(world.home, 'logs/drill.log');
    expect(cron.stderr).toContain(log);
    await world.until(() => existsSync(log) && readFileSync(log, 'utf8').includes('Good: '));
    await world.until(() => world.processes().length === 1);
    expect(existsSync(mark)).toBe(true);
    cron.signal('SIGTERM');
    await cron.exited;
    expect(readFileSync(tab, 'utf8').startsWith(others)).toBe(true);
    expect(foundIn(found)).toMatchObject([
      { cards: '', conda: '/opt/envs/night', priority: constants.priority.PRIORITY_LOW },
    ]);
    expect(await world.query(['drill', '--history'])).toMatchObject({ drills: [{ ok: true, level: '3' }] });
    expectNothingLeft(world);
  });
});
