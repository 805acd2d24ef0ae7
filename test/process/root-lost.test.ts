/** Bad day 6: the disk of the checkpoints, or of their copies, goes away under a run. */
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { LoopMount } from '../rig/loop-mount.ts';
import { type Run, testInWorld, testInWorldWithMounts, type World } from './rig.ts';

const SAVES = ['--save-every-steps', '20'];

async function trainsOn(run: Run): Promise<void> {
  const from = run.named('progress').at(-1)?.step ?? 0;
  await run.event('progress', ({ step }) => step > from + 60);
}

const isGone = ({ message }: { readonly message: string }): boolean => message.includes('is its disk still mounted?');

function hasBest(folder: string): boolean {
  return readdirSync(folder).some((name) => /^best_\d/.test(name));
}

/** A run whose root is away: what was there lies in `away`, and the bare mount point in its place. */
async function runWithoutRoot(world: World): Promise<{ run: Run; root: string; away: string }> {
  const root = join(world.directory, 'disk');
  const away = join(world.directory, 'away');
  mkdirSync(root);
  const run = world.run(world.endless(), ['--dir', root, ...SAVES]);
  await run.event('saved');
  renameSync(root, away);
  mkdirSync(root);
  return { run, root, away };
}

testInWorld.concurrent(
  'a root that is renamed away: training goes on and says so; back again, it saves again',
  async ({ world }) => {
    const { run, root, away } = await runWithoutRoot(world);
    const { hint } = await run.event('warning', isGone);
    expect(hint).toContain('Mount it again');
    await run.event('save-failed', isGone, 3);
    await trainsOn(run);
    // Nothing is made on the bare mount point: it would be hidden when the disk comes back.
    expect(readdirSync(root)).toEqual([]);
    rmSync(root, { recursive: true });
    renameSync(away, root);
    const from = run.named('progress').at(-1)?.step ?? 0;
    await run.event('saved', ({ step }) => step > from);
    await run.event('warning-ended', ({ code }) => code === 'saves-failing');
    expect(run.named('worker-ended')).toEqual([]);
    expect(run.named('warning').filter(isGone)).toHaveLength(1);
    run.signal('SIGINT');
    await run.ended(75);
  },
);

testInWorld.concurrent(
  'a root that is renamed away and stays so: a run that ends without it exits with 74, and makes nothing there',
  async ({ world }) => {
    const { run, root } = await runWithoutRoot(world);
    await run.event('save-failed');
    world.enough();
    await run.ended(74);
    expect(readdirSync(root)).toEqual([]);
    const again = await world.run(world.endless(), ['--dir', root, ...SAVES]).ended(74);
    expect(again.named('attempt-started')).toEqual([]);
  },
);

testInWorld.concurrent(
  'a backup root that is renamed away is told once and not made anew; back again, it is caught up and told once',
  async ({ world }) => {
    const root = join(world.directory, 'backup disk');
    mkdirSync(root);
    const run = world.run(world.endless(), ['--backups', root, ...SAVES]);
    await run.until(() => readdirSync(root).some((session) => hasBest(join(root, session))));
    renameSync(root, join(world.directory, 'away'));
    mkdirSync(root);
    await run.event('notice', ({ message }) => message.includes('could not be copied'));
    // Two more commits, each of which finds it missing.
    await run.event('checkpoint-verified', () => true, run.named('checkpoint-verified').length + 2);
    expect(readdirSync(root)).toEqual([]);
    rmSync(root, { recursive: true });
    renameSync(join(world.directory, 'away'), root);
    await run.event('notice', ({ message }) => message.includes('has its copy'));
    run.signal('SIGINT');
    await run.ended(75);
    const told = run.named('notice').map(({ message }) => message.replace(/ in .*| to .*/, ''));
    expect(told.filter((message) => message.includes('best model') && message.includes('cop'))).toEqual([
      'the best model could not be copied',
      'the best model has its copy',
    ]);
  },
);

testInWorldWithMounts(
  'a disk that is unmounted under a run: it trains on, says so, and writes nothing below it',
  async (world) => {
    const disk = LoopMount.make({ mib: 16 });
    const run = world.run(world.endless(), ['--dir', disk.path, ...SAVES]);
    await run.event('saved');
    disk.unmount();
    await run.event('save-failed');
    await trainsOn(run);
    expect(readdirSync(disk.path)).toEqual([]);
    run.signal('SIGINT');
    // Stopped without a confirmed save.
    await run.ended(130);
    expect(readdirSync(disk.path)).toEqual([]);
  },
);
