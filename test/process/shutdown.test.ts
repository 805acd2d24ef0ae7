/** A machine that goes down stops everybody: what it stopped comes back with it, and what a person stopped does not. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { NotifyListener } from '../rig/notify-listener.ts';
import { COMMAND, counter, signalPid, testInWorld, type World } from './rig.ts';

/** Long past the end of any test. */
const LINE = ['--epochs', '1', '--steps-per-epoch', '10000', '--step-ms', '40'];
const SAVES = ['--save-every-steps', '10'];
const hasProgram = spawnSync('systemd-notify', ['--version']).status === 0;

/** What systemd says of a machine in this state, to whoever asks; by then everything has been saved already. */
function machineThatIs({ directory }: World, state: string): NodeJS.ProcessEnv {
  const bin = join(directory, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\nsleep 1\necho ${state}\n`);
  chmodSync(join(bin, 'systemctl'), 0o755);
  return { PATH: `${bin}:${process.env.PATH}` };
}

interface Plan {
  readonly sessions: readonly { readonly sessionName: string; readonly action: string }[];
}

for (const [state, comesBack] of [
  ['stopping', ['night']],
  ['running', []],
] as const) {
  testInWorld(`SIGTERM on a machine that is ${state}: brought back are [${comesBack}]`, async ({ world }) => {
    const environment = machineThatIs(world, state);
    const run = world.start(['run', '--json', '--name', 'night', ...SAVES, ...counter(LINE)], COMMAND, environment);
    await run.event('saved');
    run.signal('SIGTERM');
    await run.ended(75);
    const { sessions } = (await world.query(['recover', '--dry-run'])) as Plan;
    expect(sessions.map(({ sessionName }) => sessionName)).toEqual(comesBack);
  });
}

testInWorld('killed by the shutdown before its save was there: it comes back all the same', async ({ world }) => {
  const slow = ['--epochs', '1', '--steps-per-epoch', '100', '--step-ms', '600000'];
  const environment = machineThatIs(world, 'stopping');
  const run = world.start(['run', '--json', '--name', 'night', ...counter(slow)], COMMAND, environment);
  const { directory } = await run.event('session-opened');
  await run.event('training-started');
  run.signal('SIGTERM');
  const noted = (): boolean => readFileSync(join(directory, 'session.json'), 'utf8').includes('"shutdown"');
  await world.until(noted);
  for (const pid of world.processes()) signalPid(pid, 'SIGKILL');
  await run.exited;
  const { sessions } = (await world.query(['recover', '--dry-run'])) as Plan;
  expect(sessions.map(({ sessionName }) => sessionName)).toEqual(['night']);
});

testInWorld.skipIf(!hasProgram)(
  'started by systemd it tells it when it is ready, and asks for time to save',
  async ({ world }) => {
    const listener = new NotifyListener(world.directory);
    try {
      await listener.listening;
      const environment = { NOTIFY_SOCKET: listener.socket };
      const run = world.start(['run', '--json', ...SAVES, ...counter(LINE)], COMMAND, environment);
      await run.event('saved');
      await listener.word('READY=1');
      run.signal('SIGTERM');
      await run.ended(75);
      await listener.word('EXTEND_TIMEOUT_USEC=');
      expect(listener.heard).toContain('STOPPING=1');
    } finally {
      await listener.close();
    }
  },
);
