/** `recover`: what was interrupted comes back by itself, and nothing else does. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { describeBoots, otherBoot } from '../rig/other-boot.ts';
import { counter, digestsOf, type Run, signalPid, testInWorld, type World } from './rig.ts';

const SAVES = ['--save-every-steps', '10'];
/** Each is a row of whole runs, one after another. */
const LIMIT = { timeout: 400_000 };

interface Listed {
  readonly sessions: readonly { readonly id: string; readonly name: string; readonly state: string }[];
}

async function statesOf(world: World): Promise<Record<string, string>> {
  const { sessions } = (await world.query(['list'])) as Listed;
  return Object.fromEntries(sessions.map(({ name, state }) => [name, state]));
}

interface RecoveryEvent {
  readonly name: string;
  readonly session?: string;
  readonly [field: string]: unknown;
}

function told(run: Run, name: string): RecoveryEvent[] {
  return (run.events as unknown as RecoveryEvent[]).filter((event) => event.name === name);
}

async function tells(run: Run, name: string): Promise<RecoveryEvent> {
  await run.until(() => told(run, name).length > 0);
  return told(run, name)[0] as RecoveryEvent;
}

describeBoots('sessions come back after a cut', () => {
  testInWorld.concurrent(
    'two sessions come back with the settings that they had and end as undisturbed ones; a stopped one stays',
    LIMIT,
    async ({ world }) => {
      const before = otherBoot(world.directory);
      const go = join(world.directory, 'go');
      // It does not come to its end before the power was cut.
      const line = counter(['--epochs', '3', '--step-ms', '20', '--hold-at', '55', '--hold', go]);
      const start = (name: string, ...options: string[]): Run =>
        world.startUnder(before, ['run', '--json', '--name', name, ...SAVES, ...options, ...line], {});
      const undisturbed = start('undisturbed');
      const stop = ['run', '--json', '--name', 'stopped', ...SAVES, ...world.endless()];
      const stopped = world.startUnder(before, stop, {});
      await stopped.event('saved');
      stopped.signal('SIGINT');
      await stopped.ended(75);
      writeFileSync(go, '');
      await undisturbed.ended(0);
      rmSync(go);
      // A flag that only the command line of the first start knew.
      const one = start('one', '--keep', '2');
      await one.event('session-opened');
      const cut = [one, start('two')];
      await Promise.all(cut.map((run) => run.event('saved')));
      await world.cutPower();
      writeFileSync(go, '');

      const after = otherBoot(world.directory);
      const planned = world.startUnder(after, ['recover', '--dry-run', '--json'], {});
      await planned.ended(0);
      const plan = JSON.parse(planned.stdout) as { sessions: { sessionName: string; state: string; action: string }[] };
      expect(plan.sessions).toMatchObject([
        { sessionName: 'one', state: 'cut', action: 'resume' },
        { sessionName: 'two', state: 'cut', action: 'resume' },
      ]);

      const recovery = world.startUnder(after, ['recover', '--json'], {});
      await recovery.ended(0);
      expect(told(recovery, 'power-cut')).toHaveLength(2);
      const ends = recovery.named('session-ended');
      expect(ends.map(({ summary }) => summary.digest)).toEqual(Array(2).fill(digestsOf(undisturbed).final));
      expect(await statesOf(world)).toEqual({
        undisturbed: 'completed',
        stopped: 'interrupted',
        one: 'completed',
        two: 'completed',
      });
      const shown = (await world.query(['show', 'one'])) as { checkpoints: unknown[] };
      expect(shown.checkpoints.length).toBeLessThan(5);

      // Once more: there is nothing left to do.
      const again = world.startUnder(after, ['recover', '--json'], {});
      await again.ended(0);
      expect(told(again, 'recovery-started')).toEqual([]);
    },
  );
});

testInWorld.concurrent(
  'a worker that trains on alone gets a supervisor, and no second worker; before all that is to be started anew',
  LIMIT,
  async ({ world }) => {
    const line = world.endless();
    const older = world.run(line, [...SAVES, '--name', 'older']);
    await older.event('saved');
    older.signal('SIGKILL');
    await older.exited;
    signalPid((await older.event('worker-connected')).pid, 'SIGKILL');
    const first = world.run(line, [...SAVES, '--name', 'orphan']);
    const { pid } = await first.event('worker-connected');
    await first.event('saved');
    first.signal('SIGKILL');
    await first.exited;

    const recovery = world.start(['recover', '--json', '--parallel', '1']);
    expect(await tells(recovery, 'recovery-started')).toMatchObject({ action: 'adopt' });
    expect(await recovery.event('worker-connected')).toMatchObject({ pid, adopted: true });
    recovery.signal('SIGINT');
    await recovery.ended(75);
    expect(recovery.named('attempt-started')).toEqual([]);
    expect(await statesOf(world)).toEqual({ older: 'crashed', orphan: 'interrupted' });
  },
);

testInWorld.concurrent(
  'a disk that is not there is named, or waited for; meanwhile no second recovery begins',
  LIMIT,
  async ({ world }) => {
    const root = join(world.directory, 'disk');
    const away = join(world.directory, 'away');
    const first = world.run(world.endless(), [...SAVES, '--dir', root]);
    await first.event('saved');
    await world.cutPower();
    renameSync(root, away);

    const refused = world.start(['recover', '--json']);
    await refused.ended(74);
    expect(told(refused, 'recovery-over')[0]).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining(root),
    });

    const waiting = world.start(['recover', '--json', '--disk-wait', '1h']);
    await tells(waiting, 'recovery-waiting');
    await world.start(['recover', '--json']).ended(73);
    renameSync(away, root);
    await waiting.event('training-started');
    world.enough();
    await waiting.ended(0);
    expect(told(waiting, 'recovery-ended')[0]).toMatchObject({ exitCode: 0 });
  },
);

testInWorld.concurrent(
  'the supervisors outlive the recovery that started them; one at a time where asked',
  LIMIT,
  async ({ world }) => {
    const line = world.endless();
    const runs = ['a', 'b'].map((name) => world.run(line, [...SAVES, '--name', name]));
    await Promise.all(runs.map((run) => run.event('saved')));
    await world.cutPower();
    const recovery = world.start(['recover', '--json', '--parallel', '1']);
    await recovery.event('training-started');
    await recovery.event('saved');
    expect(told(recovery, 'recovery-started')).toHaveLength(1);
    recovery.signal('SIGKILL');
    await recovery.exited;
    const states = await statesOf(world);
    expect(Object.values(states).sort()).toEqual(['crashed', 'running']);
    const running = Object.entries(states).find(([, state]) => state === 'running')?.[0] ?? '';
    await world.start(['stop', running, '--json']).ended(0);
    // Its supervisor answered before it ended, and is nobody's child that could be waited for.
    await world.until(() => world.processes().length === 0);
  },
);
