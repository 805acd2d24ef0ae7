/** Steps and phases that block the main thread for long, and are no hang: what is asked meanwhile waits, and is told so. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Run, stuck, testInWorld, type World } from './rig.ts';

function blocked(world: World, args: readonly string[]): string[] {
  return stuck(['--how', 'block', '--once', join(world.directory, 'once'), ...args]);
}

/** A run whose fifth step ends when the test says so. */
async function held(world: World, options = ['--json']): Promise<{ readonly run: Run; readonly release: () => void }> {
  const go = join(world.directory, 'go');
  const line = world.endless(['--hold-at', '5', '--hold', go, '--print-every', '1']);
  const run = world.start(['run', ...options, '--save-every', 'off', ...line]);
  await run.until(() => run.stdout.includes('step 4 loss'));
  // Until it is a long one.
  await run.quiet(1_500);
  return { run, release: () => writeFileSync(go, '') };
}

testInWorld.concurrent('a step of less than ten usual ones is no hang', async ({ world }) => {
  // Ten steps of more than 800 ms are longer than the block; the least silence that is a hang is shorter.
  const args = ['--at', '4', '--steps', '7', '--step-ms', '800', '--block-ms', '5000'];
  const run = world.run(blocked(world, args), ['--hang-after', '1s', '--phase-limit', '30s']);
  await run.ended(0);
  expect(run.named('hang-detected')).toEqual([]);
  expect(run.named('attempt-started')).toHaveLength(1);
});

testInWorld.concurrent('a save in a long step is said to wait, and confirmed after it', async ({ world }) => {
  const { run, release } = await held(world);
  const save = world.start(['save', '--reason', 'by hand']);
  await save.stderrSays('the save comes at its end.');
  release();
  await save.ended(0);
  expect(save.stderr).toMatch(/The present step began \S+ s ago; the save comes at its end\./);
  expect(save.stdout).toMatch(/is saved and verified: epoch 0, step 5 \(manual: by hand\)/);
  run.signal('SIGINT');
  await run.ended(75);
});

testInWorld.concurrent('a phase that is known to take long has its own limit', async ({ world }) => {
  const args = ['--at', '4', '--steps', '7', '--step-ms', '20', '--block-ms', '8000', '--phase', 'eval'];
  const run = world.run(blocked(world, args), ['--hang-after', '4s', '--phase-limit', '60s']);
  await run.ended(0);
  expect(run.named('progress').map(({ phase }) => phase)).toContain('eval');
  expect(run.named('hang-detected')).toEqual([]);
});

testInWorld.concurrent(
  'Ctrl-C within a long step tells since when it goes on, and that the save comes after it',
  async ({ world }) => {
    const { run, release } = await held(world, []);
    await run.quiet(4_500);
    run.signal('SIGINT');
    await run.stderrSays('the save comes at its end');
    release();
    await run.ended(75);
    expect(run.stderr).toMatch(/The present step began (?:[4-9]|\d\d)\S* s ago; the save comes at its end\./);
  },
);
