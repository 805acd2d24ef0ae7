/** An orphaned worker looks for a supervisor all the time: it may connect the instant that there is somebody to connect to. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { counter, type Run, signalPid, testInWorld } from './rig.ts';

/** Long past the end of any test. */
const LINE = ['--epochs', '1', '--steps-per-epoch', '10000', '--step-ms', '40'];
const SAVES = ['--save-every-steps', '10'];
const canTrace = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']).status === 0;

/** Holds whoever takes over the worker's output: by then the worker has looked for a socket many times. */
function slowToFollow(output: string): string[] {
  return ['strace', '-f', '-qq', '-o', '/dev/null', '-P', output, '-e', 'inject=openat:delay_enter=3s'];
}

async function orphan(run: Run): Promise<{ pid: number; output: string }> {
  const { log } = await run.event('session-opened');
  const { pid } = await run.event('worker-connected');
  await run.event('saved');
  run.signal('SIGKILL');
  await run.exited;
  return { pid, output: join(dirname(log), 'attempt-1.stdout') };
}

function onlyChildOf({ pid }: Run): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
}

testInWorld.skipIf(!canTrace)(
  'a worker that connects at once is adopted, and saves when it is stopped at once',
  async ({ world }) => {
    const { pid, output } = await orphan(world.run(counter(LINE), SAVES));
    const second = world.startUnder(slowToFollow(output), ['run', '--json', ...SAVES, ...counter(LINE)], {});
    expect(await second.event('worker-connected')).toMatchObject({ pid, adopted: true });
    // Its tracer would keep the signal to itself.
    signalPid(onlyChildOf(second), 'SIGINT');
    await second.event('stop-requested');
    await second.ended(75);
    expect(second.named('attempt-started')).toEqual([]);
  },
);
