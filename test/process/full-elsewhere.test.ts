/** Bad day 5 beside the checkpoints: no inode in the state home, no room for the best models, none for a socket. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished } from 'vitest';
import { ensureSocketDirectory } from '../../src/protocol/socket-path.ts';
import { LoopMount, testWithMounts } from '../rig/loop-mount.ts';
import { COMMAND, counter, type Run, signalPid, World } from './rig.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const LINE = ['--steps-per-epoch', '40', '--step-ms', '10'];

/** Takes every inode, and each that is given back, until `free`. */
function takeInodes(disk: LoopMount): { readonly free: () => void } {
  const folder = join(disk.path, 'many');
  mkdirSync(folder);
  let number = 0;
  const take = (): void => {
    try {
      for (;;) writeFileSync(join(folder, String(number++)), '');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    }
  };
  take();
  const keeper = setInterval(take, 20);
  const free = (): void => {
    clearInterval(keeper);
    rmSync(folder, { recursive: true, force: true });
  };
  onTestFinished(free);
  return { free };
}

testWithMounts('no inode left in the state home: training and saves go on, a relaunch waits for one', async () => {
  const disk = LoopMount.make({ inodes: 96 });
  const run = world.start(
    ['run', '--json', '--dir', join(world.directory, 'store'), '--save-every', '300ms', ...world.endless()],
    COMMAND,
    { NKAT_HOME: disk.path },
  );
  await run.event('checkpoint-verified');
  const inodes = takeInodes(disk);
  const step = run.named('saved').at(-1)?.step ?? 0;
  await run.event('checkpoint-verified', (event) => event.step > step + 20);
  signalPid((await run.event('worker-connected')).pid, 'SIGKILL');
  await run.event('warning', ({ code }) => code === 'launch');
  inodes.free();
  await run.event('warning-ended', ({ code }) => code === 'launch');
  world.enough();
  await run.ended(0);
  expect(run.named('worker-ended').map((event) => event.class)).toEqual(['killed', 'completed']);
});

testWithMounts('no room for the copy of the best model: told once, made when there is room', async () => {
  const disk = LoopMount.make();
  disk.fill();
  const run = world.run(counter([...LINE, '--epochs', '100000', '--size-mib', '1']), [
    ...['--backups', join(disk.path, 'best'), '--save-every', '200ms'],
  ]);
  const copies = (words: string): string[] =>
    run.named('notice').flatMap(({ message }) => (message.includes(words) ? [message] : []));
  await run.event('notice', ({ message }) => message.includes('could not be copied'));
  const step = run.named('saved').at(-1)?.step ?? 0;
  await run.event('checkpoint-verified', (event) => event.step > step + 60);
  expect(copies('could not be copied')).toHaveLength(1);
  disk.free();
  await run.event('notice', ({ message }) => message.includes('has its copy'));
  run.signal('SIGINT');
  await run.ended(75);
});

/** A file system of its own for the sockets, seen by this run alone. */
async function withSocketsOn(options: string, args: readonly string[]): Promise<{ run: Run; folder: string }> {
  const folder = await ensureSocketDirectory();
  if (spawnSync('unshare', ['-m', 'true']).status !== 0)
    throw new Error('unshare -m is refused, although mounts are allowed');
  const script = `mount -t tmpfs -o ${options},mode=700 tmpfs ${folder} && exec "$@"`;
  return { run: world.startUnder(['unshare', '-m', 'sh', '-c', script, 'sh'], args, {}), folder };
}

testWithMounts('no room for a socket: exit 74 with words, no error of ours', async () => {
  // One inode, which is the folder itself.
  const { run } = await withSocketsOn('nr_inodes=1', ['run', '--json', ...counter(LINE)]);
  await run.ended(74);
  expect(run.stdout + run.stderr).toContain('no room for sockets');
  expect(run.stdout + run.stderr).toContain('df -i');
});

testWithMounts('sockets on a read-only disk: exit 74 with words; one that becomes so fails no training', async () => {
  const refused = await withSocketsOn('ro', ['run', '--json', '--new', ...counter(LINE)]);
  const { run, folder } = await withSocketsOn('rw', ['run', '--json', '--new', ...world.endless()]);
  await run.event('worker-connected');
  const remount = ['-t', String(run.pid), '-m', 'mount', '-o', 'remount,ro', folder];
  expect(spawnSync('nsenter', remount, { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  world.enough();
  await refused.run.ended(74);
  expect(refused.run.stdout + refused.run.stderr).toContain('the disk with the sockets is read-only');
  expect(refused.run.stdout + refused.run.stderr).toContain('remount,rw');
  await run.ended(0);
});
