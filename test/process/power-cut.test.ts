/** The machine was booted again under a session: it goes on, says for how long it was down, and blames nobody. */
import { expect } from 'vitest';
import { describeBoots, otherBoot } from '../rig/other-boot.ts';
import { type Run, testInWorld, type World } from './rig.ts';

const SAVES = ['--save-every-steps', '10'];
/** Each is a row of whole runs, one after another. */
const LIMIT = { timeout: 400_000 };

/** Starts the line in a boot, or on a machine, of its own. */
function runIn(world: World, boot: readonly string[], options: readonly string[] = []): Run {
  return world.startUnder(boot, ['run', '--json', ...SAVES, ...options, ...world.endless()], {});
}

interface Listed {
  readonly sessions: readonly { readonly state: string; readonly id: string }[];
}

async function stateIn(world: World, boot: readonly string[]): Promise<string | undefined> {
  const run = world.startUnder(boot, ['list', '--json'], {});
  await run.exited;
  return (JSON.parse(run.stdout) as Listed).sessions[0]?.state;
}

interface Shown {
  readonly attempts: readonly {
    readonly class: string | null;
    readonly endedAt: string | null;
  }[];
}

describeBoots('power cuts', () => {
  testInWorld.concurrent(
    'a cut is shown, said with its downtime, not counted, and goes on',
    LIMIT,
    async ({ world }) => {
      const first = runIn(world, otherBoot(world.directory), ['--max-restarts', '0']);
      await first.event('saved');
      await world.cutPower();
      const after = otherBoot(world.directory);
      expect(await stateIn(world, after)).toBe('cut');

      const second = runIn(world, after, ['--max-restarts', '0']);
      const cut = await second.event('power-cut');
      expect(cut).toMatchObject({ attempt: 1, inRow: 1, waitMs: 0 });
      expect(cut.downMs).toBeGreaterThan(0);
      expect(await second.event('worker-ended')).toMatchObject({ class: 'power-cut', attempt: 1 });
      const recovered = await second.event('recovered');
      expect(recovered.downMs).toBeGreaterThan(cut.downMs ?? Number.POSITIVE_INFINITY);
      // With no restart allowed at all: a cut is none.
      world.enough();
      await second.ended(0);
      const { attempts } = (await world.query(['show', 'latest'])) as Shown;
      expect(attempts.map((attempt) => attempt.class)).toEqual(['power-cut', 'completed']);
      expect(attempts[0]?.endedAt).toBe(cut.lastSeenAt);
    },
  );

  testInWorld.concurrent(
    'cut again soon after the recovery: it says so and waits for the power to settle',
    LIMIT,
    async ({ world }) => {
      const first = runIn(world, otherBoot(world.directory));
      await first.event('saved');
      await world.cutPower();
      const second = runIn(world, otherBoot(world.directory));
      expect(await second.event('power-cut')).toMatchObject({ inRow: 1, waitMs: 0 });
      await second.event('saved');
      await world.cutPower();

      const waiting = runIn(world, otherBoot(world.directory), ['--power-settle', '1h']);
      expect(await waiting.event('power-cut')).toMatchObject({ inRow: 2, waitMs: 3_600_000 });
      expect(await waiting.event('restart-planned')).toMatchObject({ delayMs: 3_600_000 });
      await world.cutPower();
      // Also where the power went while it waited, and no attempt ran at all.
      const last = runIn(world, otherBoot(world.directory), ['--power-settle', '1h']);
      expect(await last.event('power-cut')).toMatchObject({ inRow: 3 });
      await last.event('restart-planned');
      last.signal('SIGINT');
      await last.ended(130);
      expect(last.named('attempt-started')).toEqual([]);
    },
  );

  testInWorld.concurrent('another machine is never taken for a cut, whatever its boot', LIMIT, async ({ world }) => {
    const first = runIn(world, otherBoot(world.directory, 'far'));
    await first.event('saved');
    await world.cutPower();
    const here = otherBoot(world.directory);
    // It may train on over there, for all that can be seen from here.
    expect(await stateIn(world, here)).toBe('running');
    await runIn(world, here).ended(73);
    const taken = runIn(world, here, ['--take-over']);
    expect(await taken.event('worker-ended')).toMatchObject({ class: 'vanished' });
    world.enough();
    await taken.ended(0);
    expect(taken.named('power-cut')).toEqual([]);
  });
});
