/** Bad day 5: the disk of the checkpoints is full in mid-run. Real disks of 64 MiB, real trainers. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { LoopMount } from '../rig/loop-mount.ts';
import { waitFor } from '../rig/wait-for.ts';
import { COMMAND, counter, digestsOf, type Run, signalPid, testInWorldWithMounts, type World } from './rig.ts';

const SIZE = ['--size-mib', '2'];
const SAVES = ['--save-every', '300ms', '--keep', '3'];

function onDisk(world: World, disk: LoopMount, options: readonly string[] = [], line = world.endless(SIZE)): Run {
  return world.run(line, ['--dir', disk.path, ...SAVES, ...options]);
}

function fullWarnings(run: Run): string[] {
  return run.named('warning').flatMap(({ code, message }) => (code === 'disk-full' ? [message] : []));
}

/** Three epochs, of which the last step but `left` is held until the file is there. */
function held(file: string, left: number): string[] {
  const pace = ['--epochs', '3', '--steps-per-epoch', '40', '--step-ms', '10'];
  return counter([...pace, ...SIZE, '--hold-at', String(120 - left), '--hold', file]);
}

/** Names of the checkpoints that lie there. */
function checkpoints(run: Run): string[] {
  const directory = run.named('session-opened')[0]?.directory ?? '';
  return readdirSync(directory).filter((name) => name.startsWith('checkpoint_'));
}

testInWorldWithMounts(
  'a full disk: training goes on without saves, says so once, loses nothing, and saves again',
  async (world) => {
    const disk = LoopMount.make();
    const run = onDisk(world, disk);
    await run.event('checkpoint-verified', () => true, 2);
    disk.keepFull();
    await run.event('warning', ({ code }) => code === 'disk-full');
    const newest = run.named('saved').at(-1);
    const from = run.named('progress').at(-1)?.step ?? 0;
    await run.event('progress', ({ step }) => step > from + 40);
    // The newest is there and none was added; one that was committed as the disk filled may still rotate an old one away.
    expect(run.named('saved').at(-1)).toEqual(newest);
    expect(checkpoints(run)).toContain(basename(newest?.path ?? ''));
    disk.free();
    await run.event('warning-ended', ({ code }) => code === 'disk-full');
    await run.event('checkpoint-verified', ({ step }) => step > from + 40);
    run.signal('SIGINT');
    await run.ended(75);
    expect(fullWarnings(run)).toHaveLength(1);
    expect(fullWarnings(run)[0]).toContain('training goes on without saves');
    // One attempt: a save that finds no room ends nothing.
    expect(run.named('worker-ended')).toHaveLength(1);
    expect(run.named('worker-ended')[0]?.class).toBe('interrupted');
  },
);

testInWorldWithMounts(
  'on-full-disk pause: no step is made without room; it goes on by itself, to the same end',
  async (world) => {
    const go = join(world.directory, 'go');
    const disk = LoopMount.make();
    // Time enough is left for a periodic save, and that meets the full disk.
    const line = held(go, 60);
    const run = onDisk(world, disk, ['--on-full-disk', 'pause'], line);
    await run.event('checkpoint-verified');
    disk.keepFull();
    writeFileSync(go, '');
    const undisturbed = world.run(line, [...SAVES, '--name', 'undisturbed']);
    await run.event('progress', ({ waiting }) => waiting === 'space', 2);
    const at = run.named('progress').at(-1)?.step;
    await run.event('progress', ({ waiting, step }) => waiting === 'space' && step === at, 3);
    expect(fullWarnings(run)).toHaveLength(1);
    expect(fullWarnings(run)[0]).toContain('training pauses');
    disk.free();
    await run.ended(0);
    await undisturbed.ended(0);
    expect(digestsOf(run).final).toBe(digestsOf(undisturbed).final);
    // What was waited with was saved first.
    expect(run.named('saved').map(({ step }) => step)).toContain(at);
  },
);

testInWorldWithMounts(
  'pausing, it still answers: a stop with a full disk ends at 130, says why, and keeps the newest',
  async (world) => {
    const disk = LoopMount.make();
    const run = onDisk(world, disk, ['--on-full-disk', 'pause']);
    await run.event('checkpoint-verified');
    disk.keepFull();
    await run.event('progress', ({ waiting }) => waiting === 'space');
    const kept = checkpoints(run);
    run.signal('SIGINT');
    await run.ended(130);
    const [end] = run.named('session-ended');
    expect(end?.outcome).toBe('stopped-unsaved');
    expect(end?.reason).toContain('no-space');
    expect(checkpoints(run)).toEqual(kept);
    disk.free();
    const again = onDisk(world, disk, ['--on-full-disk', 'pause']);
    const chosen = await again.event('checkpoint-chosen');
    expect(kept.some((name) => name.endsWith(`_${chosen.sequence}`))).toBe(true);
    await again.event('progress');
    again.signal('SIGINT');
    await again.ended(75);
  },
);

testInWorldWithMounts('the last save waits for room: what was trained is not thrown away', async (world) => {
  const disk = LoopMount.make();
  const go = join(world.directory, 'go');
  const run = onDisk(world, disk, [], held(go, 0));
  await run.event('checkpoint-verified');
  disk.keepFull();
  writeFileSync(go, '');
  await run.event('progress', ({ waiting, step }) => waiting === 'space' && step === 120);
  disk.free();
  await run.ended(0);
  expect(run.named('worker-ended')).toHaveLength(1);
  expect(run.named('saved').at(-1)?.kinds).toContain('final');
});

testInWorldWithMounts('no inode left: told and recovered like no space', async (world) => {
  const disk = LoopMount.make({ inodes: 96 });
  const run = onDisk(world, disk);
  await run.event('checkpoint-verified');
  const folder = join(disk.path, 'many');
  mkdirSync(folder);
  await waitFor('the last inode', () => {
    try {
      for (let number = 0; ; number++) writeFileSync(join(folder, `${number}-${Math.random()}`), '');
    } catch {
      return run.named('warning').some(({ code }) => code === 'disk-full');
    }
  });
  const from = run.named('progress').at(-1)?.step ?? 0;
  await run.event('progress', ({ step }) => step > from + 20);
  rmSync(folder, { recursive: true });
  await run.event('warning-ended', ({ code }) => code === 'disk-full');
  run.signal('SIGINT');
  await run.ended(75);
  expect(existsSync(run.named('saved').at(-1)?.path ?? '')).toBe(true);
});

testInWorldWithMounts(
  'a full state home: index, record and output wait or are dropped and counted; training does not notice',
  async (world) => {
    const disk = LoopMount.make();
    const run = world.start(
      [
        'run',
        '--json',
        '--dir',
        join(world.directory, 'elsewhere'),
        ...SAVES,
        ...world.endless([...SIZE, '--print-every', '1']),
      ],
      COMMAND,
      { NKAT_HOME: disk.path },
    );
    await run.event('checkpoint-verified');
    disk.fill();
    await run.event('notice', ({ message }) => message.includes('output is dropped'));
    const step = run.named('progress').at(-1)?.step ?? 0;
    await run.event('progress', (event) => event.step > step + 40);
    await run.event('checkpoint-verified', (event) => event.step > step + 20);
    disk.free();
    await run.event('notice', ({ message }) => message.includes('room for output again'));
    world.enough();
    await run.ended(0);
    expect(run.named('worker-ended')).toHaveLength(1);
    // Some are said twice where room comes and goes; none with every write.
    const notices = run.named('notice').filter(({ level }) => level !== 'info');
    const sorts = notices.map(({ message }) => message.replaceAll(/\d+/g, 'N'));
    for (const sort of new Set(sorts)) {
      expect(sorts.filter((other) => other === sort).length, sorts.join('\n')).toBeLessThanOrEqual(2);
    }
    // The index caught up, with what happened while the disk was full.
    const shown = (await world.query(['show', 'latest'], { NKAT_HOME: disk.path })) as {
      session: { state: string; step: number };
      checkpoints: { step: number }[];
    };
    const last = run.named('saved').at(-1)?.step;
    expect(shown.session).toMatchObject({ state: 'completed', step: last });
    expect(shown.checkpoints.map((row) => row.step)).toContain(last);
    const log = readFileSync(run.named('session-opened')[0]?.log ?? '', 'utf8');
    expect(log).toContain('log-gap');
    for (const line of log.trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  },
);

testInWorldWithMounts(
  'a crash while the state home is full: the relaunch waits for room, uncounted, and goes on',
  async (world) => {
    const disk = LoopMount.make();
    const run = world.start(
      ['run', '--json', '--dir', join(world.directory, 'elsewhere'), ...SAVES, ...world.endless(SIZE)],
      COMMAND,
      { NKAT_HOME: disk.path },
    );
    await run.event('checkpoint-verified');
    disk.fill();
    signalPid((await run.event('worker-connected')).pid, 'SIGKILL');
    await run.event('warning', ({ code }) => code === 'launch');
    disk.free();
    await run.event('warning-ended', ({ code }) => code === 'launch');
    world.enough();
    await run.ended(0);
    expect(run.named('worker-ended').map((event) => event.class)).toEqual(['killed', 'completed']);
  },
);

testInWorldWithMounts('nothing to start with: a first run on a full disk ends at 74 with words', async (world) => {
  const disk = LoopMount.make();
  disk.fill();
  const run = onDisk(world, disk);
  await run.ended(74);
  expect(run.stdout).toMatch(/space/i);
  expect(run.stdout).toContain(disk.path);
});
