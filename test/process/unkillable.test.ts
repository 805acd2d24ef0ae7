/** A worker in uninterruptible sleep: a disk that answers no more, made by freezing a file system of the test's own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished } from 'vitest';
import { LoopMount, testWithMounts } from '../rig/loop-mount.ts';
import { type Run, stuck, World } from './rig.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const OPTIONS = ['--hang-after', '1s', '--phase-limit', '3s', '--kill-wait', '2s'];
const WORDS = /pid \d+ \(\S+\) is in uninterruptible sleep in \w+/;

function frozenDisk(): { path: string; freeze: () => void; thaw: () => void } {
  const { path } = LoopMount.make();
  const thaw = (): void => {
    spawnSync('fsfreeze', ['-u', path]);
  };
  // Before the unmount, whose cleanup was registered earlier and runs later.
  onTestFinished(thaw);
  return { path, freeze: () => execFileSync('fsfreeze', ['-f', path]), thaw };
}

const DISKS = [
  { name: 'another disk', options: () => OPTIONS },
  {
    name: 'the checkpoint disk',
    options: (disk: string) => [...OPTIONS, '--dir', join(disk, 'checkpoints'), '--name', 'on-it'],
  },
];

// Both at once: nearly all of it is waiting.
testWithMounts(`${DISKS.map(({ name }) => name).join(', or ')} hangs: exit 70 in bounded time`, async () => {
  await Promise.all(DISKS.map(({ options }, at) => hang(options, join(world.directory, `once-${at}`))));
});

async function hang(options: (disk: string) => readonly string[], once: string): Promise<void> {
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
