/** A wall clock that is set back by a year while training, and forward; and a supervisor that is stopped for a while. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { FAKETIME_LIBRARY, SetClock } from '../rig/set-clock.ts';
import { counter, signalPid, testInWorld, type World } from './rig.ts';

/** A test with a clock that can be set. Without libfaketime it is skipped and says so, or fails where NKAT_REQUIRE_FAKETIME=1. */
function testWithClock(name: string, work: (world: World, clock: SetClock) => Promise<void>): void {
  const isOptional = FAKETIME_LIBRARY === undefined && process.env.NKAT_REQUIRE_FAKETIME !== '1';
  if (isOptional) testInWorld.skip(`${name} (libfaketime is not installed)`, () => undefined);
  else testInWorld.concurrent(name, ({ world }) => work(world, new SetClock(join(world.directory, 'clock'))));
}

testWithClock(
  'a clock that jumps by a year, back and forward: order, ages, losses and the result are those of a steady one',
  async (world, clock) => {
    const args = world.endless();
    const run = world.start(['run', '--json', '--save-every-steps', '10', ...args], undefined, clock.environment);
    const { pid } = await run.event('worker-connected');
    await run.event('saved', ({ step }) => step >= 10);
    const year = new Date().getFullYear();
    const yearOf = (at: string | null): number => Number(at?.slice(0, 4) ?? year);
    clock.set('-365d');
    await run.event('progress', ({ lastDurableAt }) => yearOf(lastDurableAt) < year);
    clock.set('+365d');
    const late = await run.event('progress', ({ lastDurableAt }) => yearOf(lastDurableAt) > year);
    await run.event('progress', ({ step }) => step > late.step);
    signalPid(pid, 'SIGKILL');
    world.enough();
    await run.ended(0);

    const ages = run.named('progress').flatMap(({ lastDurableAgeMs }) => lastDurableAgeMs ?? []);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...ages)).toBeLessThan(600_000);
    const sequences = run.named('saved').map(({ sequence }) => sequence);
    expect(sequences).toEqual([...sequences].sort((one, other) => one - other));
    const killed = run.events.findIndex(({ name }) => name === 'worker-ended');
    const before = run.events.slice(0, killed).flatMap((event) => (event.name === 'saved' ? event.sequence : []));
    const [chosen] = run.named('checkpoint-chosen');
    // One that was committed as it was killed, and not told any more, is newer still.
    expect((chosen?.sequence ?? 0) - (before.at(-1) ?? 0)).toBeOneOf([0, 1]);
    expect(chosen?.lostMs).toBeLessThan(600_000);
    expect(run.named('hang-detected')).toEqual([]);
    expect(run.named('worker-ended').map((ended) => ended.class)).toEqual(['killed', 'completed']);
  },
);

testWithClock(
  'sessions that begin after the clock was set back are newer all the same, and ids are their own',
  async (world, clock) => {
    const args = counter(['--epochs', '1', '--steps-per-epoch', '3']);
    const ids: string[] = [];
    for (const offset of ['+0', '-365d', '-730d']) {
      clock.set(offset);
      const run = world.start(['run', '--json', '--new', ...args], undefined, clock.environment);
      ids.push((await run.event('session-opened')).session);
      await run.ended(0);
    }
    expect(new Set(ids).size).toBe(3);
    const { sessions } = (await world.query(['list', '--all'], clock.environment)) as {
      sessions: { id: string; createdAt: string }[];
    };
    expect(sessions.map(({ id }) => id)).toEqual(ids.toReversed());
    expect(await world.query(['show', 'latest'], clock.environment)).toMatchObject({ session: { id: ids[2] } });
  },
);

/** Longer than a busy machine lets a trainer wait, and shorter than the supervisor is stopped. */
const LIMITS = ['--hang-after', '5s'];

testInWorld.concurrent('a supervisor that was stopped takes its own silence for no hang', async ({ world }) => {
  const run = world.run(world.endless(), LIMITS);
  await run.event('progress', ({ step }) => step >= 5);
  run.signal('SIGSTOP');
  await run.quiet(7_000);
  run.signal('SIGCONT');
  const seen = run.named('progress').at(-1)?.step ?? 0;
  await run.event('progress', ({ step }) => step > seen + 20);
  expect(run.named('hang-detected')).toEqual([]);
  run.signal('SIGINT');
  await run.ended(75);
  expect(run.named('attempt-started')).toHaveLength(1);
});

testInWorld.concurrent(
  'a grace that ran out while the supervisor was stopped goes on where it stood',
  async ({ world }) => {
    const go = join(world.directory, 'go');
    const run = world.run(world.endless(['--hold-at', '5', '--hold', go]), ['--grace', '9s']);
    await run.event('progress', ({ step }) => step === 4);
    run.signal('SIGINT');
    await run.event('stop-requested');
    run.signal('SIGSTOP');
    await run.quiet(10_000);
    run.signal('SIGCONT');
    await run.quiet(500);
    writeFileSync(go, '');
    await run.ended(75);
    expect(run.named('stop-requested').map(({ stage }) => stage)).toEqual(['saving']);
  },
);
