/** Workers that stop making steps, and what they leave behind: found, ended whole, resumed; nothing else is touched. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { identityOf, isAlive } from '../../src/checkpoint/process-identity.ts';
import { type Run, signalPid, stuck, testInWorld, type World } from './rig.ts';

/** Longer than a busy machine lets a trainer wait. */
const LIMITS = ['--hang-after', '4s', '--phase-limit', '30s'];

function stuckRun(world: World, args: readonly string[], options: readonly string[] = LIMITS): Run {
  return world.run(stuck(['--once', join(world.directory, 'once'), ...args]), options);
}

/** Pids that the brood told, by name. */
function childrenOf(run: Run): Map<string, number> {
  return new Map(
    run.outputLines().flatMap((line) => {
      const [, name, pid] = /^child (\S+) (\d+)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, Number(pid)] as const];
    }),
  );
}

testInWorld.concurrent.for(['loop', 'await', 'sleep-deaf'])(
  'a worker stuck in %s is found, ended, resumed; counted as hang',
  async (how, { world }) => {
    const run = stuckRun(world, ['--how', how, '--at', '8']);
    await run.ended(0);
    expect(run.named('hang-detected')).toHaveLength(1);
    expect(run.named('worker-ended').map((end) => end.class)).toEqual(['hang', 'completed']);
    expect(run.named('attempt-started')).toHaveLength(2);
  },
);

testInWorld.concurrent('a stopped worker is woken and resumed', async ({ world }) => {
  const run = stuckRun(world, ['--how', 'stop', '--at', '8']);
  await run.ended(0);
  expect(run.named('worker-ended').map((end) => end.class)).toEqual(['hang', 'completed']);
  // Asked for before SIGTERM, after which a state that is changed in place is not saved any more.
  const emergencies = run.named('saved').filter(({ kinds }) => kinds.includes('emergency'));
  expect(emergencies).toMatchObject([{ reason: 'hang' }]);
});

testInWorld.concurrent(
  'children go with a hung worker: deaf, stopped, in sessions of their own, forked twice; strangers stay',
  async ({ world, onTestFinished }) => {
    const stranger = spawn('sleep', ['1000'], {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, NKAT_SESSION: '20200101_000000_zzzz' },
    });
    onTestFinished(() => {
      stranger.kill('SIGKILL');
    });
    const run = stuckRun(world, ['--how', 'loop', '--at', '8', '--brood']);
    const { session } = await run.event('session-opened');
    // What an operator starts from a shell that has the id in a variable of this name.
    const namesake = spawn('sleep', ['1000'], {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, NKAT_SESSION: session },
    });
    onTestFinished(() => {
      namesake.kill('SIGKILL');
    });
    await run.event('hang-detected');
    const first = childrenOf(run);
    expect(first.size).toBe(6);
    await run.event('attempt-started', ({ attempt }) => attempt === 2);
    for (const [name, pid] of first) expect([name, isRunning(pid)]).toEqual([name, false]);
    await run.ended(0);
    expect(stranger.exitCode).toBeNull();
    expect(isRunning(stranger.pid ?? -1)).toBe(true);
    expect(isRunning(namesake.pid ?? -1)).toBe(true);
  },
);

testInWorld.concurrent(
  'a supervisor that carries the session itself, as its shell does, ends neither of them',
  async ({ world }) => {
    const first = stuckRun(world, ['--how', 'loop', '--at', '8']);
    const { session } = await first.event('session-opened');
    await first.event('progress', ({ step }) => step >= 3);
    signalPid(first.pid, 'SIGKILL');
    await first.exited;
    // Opened from within the trainer, as a debugger's terminal is.
    const shell = world.startUnder(['sh', '-c', '"$@"; exit $?', 'sh'], ['resume', session, '--json', ...LIMITS], {
      NKAT_SESSION: session,
      NKAT_ATTEMPT: '1',
    });
    await shell.ended(0);
    expect(shell.named('worker-ended').map((end) => end.class)).toEqual(['hang', 'completed']);
  },
);

function isRunning(pid: number): boolean {
  const identity = identityOf(pid);
  return identity !== null && isAlive(identity) && !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
}
