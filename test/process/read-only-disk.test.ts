/** Bad day 5 by another name: the checkpoints' disk is made read-only in mid-run, as ext4 does after an error. */
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect } from 'vitest';
import { LoopMount, testWithMounts } from '../rig/loop-mount.ts';
import { waitFor } from '../rig/wait-for.ts';
import { counter, World } from './rig.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

/** Refused while a file is open for writing, so it is asked again between two saves. */
function makeReadOnly(disk: LoopMount): Promise<boolean> {
  return waitFor('a moment without an open file', () => {
    try {
      disk.remount('ro');
      return true;
    } catch {
      return false;
    }
  });
}

testWithMounts('read-only in mid-run: told with what helps, training goes on, saves go on after it', async () => {
  const disk = LoopMount.make();
  const line = counter(['--epochs', '100000', '--steps-per-epoch', '40', '--step-ms', '10']);
  const run = world.run(line, ['--dir', disk.path, '--save-every', '500ms']);
  await run.event('checkpoint-verified');
  await makeReadOnly(disk);
  const warning = await run.event('warning', ({ code }) => code === 'disk-full');
  expect(warning.message).toContain('The disk is read-only');
  expect(warning.hint).toContain('dmesg');
  const newest = run.named('saved').at(-1)?.path ?? '';
  const from = run.named('progress').at(-1)?.step ?? 0;
  await run.event('progress', ({ step }) => step > from + 20);
  expect(existsSync(newest)).toBe(true);
  disk.remount('rw');
  await run.event('warning-ended', ({ code }) => code === 'disk-full');
  await run.event('checkpoint-verified', ({ step }) => step > from + 20);
  run.signal('SIGINT');
  await run.ended(75);
  expect(run.named('worker-ended')).toHaveLength(1);
});

testWithMounts(
  'read-only for good: Ctrl-C ends with 130 and the reason, and the checkpoints are as they were',
  async () => {
    const disk = LoopMount.make();
    const line = counter(['--epochs', '100000', '--steps-per-epoch', '40', '--step-ms', '10']);
    const run = world.run(line, ['--dir', disk.path, '--save-every', '500ms']);
    await run.event('checkpoint-verified');
    await makeReadOnly(disk);
    await run.event('warning', ({ code }) => code === 'disk-full');
    run.signal('SIGINT');
    await run.ended(130);
    expect(run.named('session-ended')[0]?.reason).toContain('no-space');
    expect(existsSync(run.named('saved').at(-1)?.path ?? '')).toBe(true);
  },
);
