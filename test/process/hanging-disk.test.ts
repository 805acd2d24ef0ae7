/** A disk that answers nobody for a while, made by freezing a file system of the test's own: nothing is killed for it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { LoopMount, testWithMounts } from '../rig/loop-mount.ts';
import { counter, type Run, signalPid, World } from './rig.ts';

let world: World;
let frozen: (() => void)[] = [];
beforeEach(() => {
  world = new World();
  frozen = [];
});
afterEach(async () => {
  // First of all: what waits for such a disk cannot even be killed.
  for (const thaw of frozen) thaw();
  await world.close();
});

interface Disk {
  readonly path: string;
  freeze(): void;
  thaw(): void;
}

function freezableDisk(): Disk {
  const { path } = LoopMount.make();
  const thaw = (): void => {
    spawnSync('fsfreeze', ['-u', path]);
  };
  frozen.push(thaw);
  return { path, freeze: () => execFileSync('fsfreeze', ['-f', path]), thaw };
}

const LINE = ['--epochs', '1', '--step-ms', '40', '--size-mib', '2'];

function onDisk(disk: Disk, name: string, options: readonly string[], args: readonly string[]): Run {
  return world.run(counter([...LINE, ...args]), ['--dir', join(disk.path, 'store'), '--name', name, ...options]);
}

/** Of these the trainer waits for its own save. */
const AWAITED = [
  { name: 'synchronous', options: ['--async-save', 'off', '--save-every-steps', '20'], args: [] },
  { name: 'by-hand', options: ['--save-every', 'off'], args: ['--save-at-step', '40'] },
];

testWithMounts('a save that the trainer waits for may take long: that is no hang', async () => {
  await Promise.all(
    AWAITED.map(async ({ name, options, args }) => {
      const disk = freezableDisk();
      const limits = ['--hang-after', '3s', '--phase-limit', '50s'];
      // The step of the save is not made before the disk hangs.
      const go = join(world.directory, `go-${name}`);
      const held = ['--steps-per-epoch', '60', '--hold-at', '15', '--hold', go];
      const run = onDisk(disk, name, [...limits, ...options], [...held, ...args]);
      await run.event('progress', ({ step }) => step >= 14);
      disk.freeze();
      writeFileSync(go, '');
      await run.event('progress', ({ phase }) => phase === 'save');
      // Longer than the limit for a step, shorter than the one for slow phases.
      await run.quiet(7_000);
      disk.thaw();
      await run.ended(0);
      expect(run.named('hang-detected')).toEqual([]);
      expect(run.named('attempt-started')).toHaveLength(1);
    }),
  );
});

testWithMounts('a disk that hangs under the record of the session: told, and the supervisor goes on', async () => {
  const disk = freezableDisk();
  const run = onDisk(disk, 'record', ['--save-every', 'off'], ['--steps-per-epoch', '100000', '--save-at-step', '5']);
  await run.event('checkpoint-verified');
  const { pid } = await run.event('worker-connected');
  disk.freeze();
  // Its end is to be written down, which the disk does not take.
  signalPid(pid, 'SIGKILL');
  const warned = await run.event('warning', ({ code }) => code === 'session-file');
  expect(warned.message).toContain('has not answered');
  run.signal('SIGINT');
  expect((await run.event('session-ended')).outcome).toBe('stopped-unsaved');
  disk.thaw();
  await run.ended(130);
  const again = onDisk(disk, 'record', ['--save-every', 'off'], ['--steps-per-epoch', '100000', '--save-at-step', '5']);
  expect((await again.event('training-started')).step).toBe(5);
  again.signal('SIGINT');
  await again.ended(75);
});
