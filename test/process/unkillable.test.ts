/** A worker in uninterruptible sleep: a disk that answers no more, made by freezing a file system of the test's own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { LoopMount } from '../rig/loop-mount.ts';
import { atTestEnd } from '../rig/test-end.ts';
import { type Run, stuck, testInWorldWithMounts, type World } from './rig.ts';

const OPTIONS = ['--hang-after', '2s', '--phase-limit', '30s', '--kill-wait', '2s'];
const WORDS = /pid \d+ \(\S+\) is in uninterruptible sleep in \w+/;

function frozenDisk(): { path: string; freeze: () => void; thaw: () => void } {
  const { path } = LoopMount.make();
  const thaw = (): void => {
    spawnSync('fsfreeze', ['-u', path]);
  };
  // Before the unmount, whose cleanup was registered earlier and runs later.
  atTestEnd(thaw);
  return { path, freeze: () => execFileSync('fsfreeze', ['-f', path]), thaw };
}

const DISKS = [
  { name: 'another disk', options: () => OPTIONS },
  {
    name: 'the checkpoint disk',
    options: (disk: string) => [...OPTIONS, '--dir', join(disk, 'checkpoints'), '--name', 'on-it'],
  },
];

for (const { name, options } of DISKS) {
  testInWorldWithMounts(`${name} hangs: exit 70 in bounded time`, (world) => hang(world, options));
}

async function hang(world: World, options: (disk: string) => readonly string[]): Promise<void> {
  const once = join(world.directory, 'once');
  const disk = frozenDisk();
  const line = (): Run =>
    world.run(stuck(['--how', 'write', '--at', '8', '--folder', disk.path, '--once', once]), options(disk.path));
  const first = line();
  const { directory } = await first.event('session-opened');
  await first.event('output', (event) => event.line === 'stuck at 8');
  disk.freeze();
  await first.ended(70);
  expect(first.named('session-ended')[0]).toMatchObject({
    outcome: 'unkillable',
    reason: expect.stringMatching(WORDS),
  });
  expect(first.named('worker-ended')).toEqual([]);
  expect(readdirSync(join(directory, 'owners'))).toEqual(['1.json']);

  const second = line();
  await second.ended(70);
  expect(second.stdout + second.stderr).toMatch(WORDS);
  // It never came as far as a claim: that would have written on the disk.
  expect(readdirSync(join(directory, 'owners'))).toEqual(['1.json']);

  disk.thaw();
  const third = line();
  await third.ended(0);
  expect(third.named('session-opened')[0]?.directory).toBe(directory);
}
