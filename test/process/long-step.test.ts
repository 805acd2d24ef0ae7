/** Steps and phases that block the main thread for long, and are no hang: what is asked meanwhile waits, and is told so. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Run, stuck, testInWorld, type World } from './rig.ts';

function blocked(world: World, args: readonly string[]): string[] {
  return stuck(['--how', 'block', '--once', join(world.directory, 'once'), ...args]);
}

function isBlocked(run: Run): Promise<unknown> {
  return run.event('output', ({ line }) => line.startsWith('stuck at'));
}

// Ten steps of more than 800 ms are longer than the block; the least silence that is a hang is shorter.
const LONG_STEP = ['--at', '4', '--steps', '7', '--step-ms', '800', '--block-ms', '6000'];

testInWorld.concurrent(
  'a step of less than ten usual ones is no hang; a save meanwhile is said to wait, and confirmed after it',
  async ({ world }) => {
    const run = world.run(blocked(world, LONG_STEP), ['--hang-after', '1s', '--phase-limit', '8s']);
    await isBlocked(run);
    await run.quiet(1_500);
    const save = world.start(['save', '--reason', 'by hand']);
    await save.ended(0);
    expect(save.stderr).toMatch(/The training loop is in a step since \S+ s; it will save at its next step\./);
    expect(save.stdout).toMatch(/is saved and verified: epoch 0, step 5 \((?:auto, )?manual: by hand\)/);
    await run.ended(0);
    expect(run.named('hang-detected')).toEqual([]);
    expect(run.named('attempt-started')).toHaveLength(1);
  },
);

testInWorld.concurrent('a phase that is known to take long has its own limit', async ({ world }) => {
  const args = ['--at', '4', '--steps', '7', '--step-ms', '20', '--block-ms', '4000', '--phase', 'eval'];
  const run = world.run(blocked(world, args), ['--hang-after', '1s', '--phase-limit', '20s']);
  await run.ended(0);
  expect(run.named('progress').map(({ phase }) => phase)).toContain('eval');
  expect(run.named('hang-detected')).toEqual([]);
});

testInWorld.concurrent(
  'Ctrl-C within a long step tells since when it goes on, and that the save comes after it',
  async ({ world }) => {
    const run = world.start(['run', ...blocked(world, [...LONG_STEP, '--block-ms', '9000'])]);
    await world.until(() => run.stdout.includes('stuck at'));
    await run.quiet(4_500);
    run.signal('SIGINT');
    await run.ended(75);
    expect(run.stderr).toMatch(/The present step began [4-9]\S* s ago; the save comes at its end\./);
  },
);
