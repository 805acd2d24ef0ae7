/** The same line for the first time, from several terminals at once. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { COMMAND, type Run, testInWorld } from './rig.ts';

testInWorld(
  'three first starts of one line at once: one session, the others are told who holds it',
  async ({ world }) => {
    const runs = [1, 2, 3].map(() => world.run(world.endless()));
    const codes = new Map<Run, number | null>();
    for (const run of runs) void run.exited.then(({ code }) => codes.set(run, code));
    await world.until(() => runs.every((run) => codes.has(run) || run.named('attempt-started').length > 0));
    expect([...codes.values()]).toEqual([73, 73]);
    const first = runs.find((run) => !codes.has(run));
    const opened = await first?.event('session-opened');
    for (const { stdout } of codes.keys()) {
      expect(stdout).toContain(`another supervisor holds session ${opened?.session}: pid ${first?.pid}`);
    }
    expect(await world.query(['list', '--all'])).toMatchObject({ sessions: [{ id: opened?.session }] });
    world.enough();
    await first?.ended(0);
    // What has ended keeps nobody from the next start of the line.
    await world.run(world.endless()).ended(0);
    const { sessions } = (await world.query(['list', '--all'])) as { sessions: unknown[] };
    expect(sessions).toHaveLength(2);
  },
);

testInWorld('from two state homes with one --dir: one session too, at once and afterwards', async ({ world }) => {
  const line = (home: string): Run =>
    world.start(['run', '--json', '--dir', join(world.directory, 'shared'), ...world.endless()], COMMAND, {
      NKAT_HOME: join(world.directory, home),
    });
  const runs = ['one', 'two'].map(line);
  const codes = new Map<Run, number | null>();
  for (const run of runs) void run.exited.then(({ code }) => codes.set(run, code));
  await world.until(() => runs.every((run) => codes.has(run) || run.named('attempt-started').length > 0));
  const first = runs.find((run) => !codes.has(run));
  const refused = [...codes.keys(), line('three')];
  expect(refused).toHaveLength(2);
  const opened = await first?.event('session-opened');
  for (const run of refused) {
    await run.ended(73);
    expect(run.stdout).toContain(`another supervisor holds session ${opened?.session}: pid ${first?.pid}`);
  }
  world.enough();
  await first?.ended(0);
});

testInWorld('--new is a wish for a session beside the other, also at once', async ({ world }) => {
  const runs = [1, 2].map(() => world.run(world.endless(), ['--new']));
  const ids = await Promise.all(runs.map((run) => run.event('session-opened')));
  expect(new Set(ids.map(({ session }) => session)).size).toBe(2);
  world.enough();
  await Promise.all(runs.map((run) => run.ended(0)));
});
