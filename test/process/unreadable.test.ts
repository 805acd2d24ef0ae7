/** Bad day 6: what cannot be read is never called damaged, never moved, and never stepped over in silence. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { waitFor } from '../rig/wait-for.ts';
import { COMMAND, type Run, testInWorld, type World } from './rig.ts';

const SAVES = ['--save-every-steps', '10'];
const NOBODY = '65534';

interface Stopped {
  readonly directory: string;
  /** The tensors of every checkpoint, the newest last, and of the backups. */
  readonly tensors: readonly string[];
  readonly newest: number;
  readonly checkpoints: readonly string[];
}

async function interrupted(world: World): Promise<Stopped> {
  const run = world.run(world.endless(), SAVES);
  const { directory } = await run.event('session-opened');
  await run.event('saved');
  await waitFor('a copy of the best model', () => copiesIn(world).length > 0);
  run.signal('SIGINT');
  await run.ended(75);
  const checkpoints = checkpointsIn(directory);
  const tensors = [...tensorsIn(directory), ...copiesIn(world)];
  const newest = Math.max(...checkpoints.map((name) => Number(name.split('_').at(-1))));
  return { directory, checkpoints, tensors, newest };
}

function tensorsIn(place: string): string[] {
  return readdirSync(place)
    .map((name) => join(place, name, 'tensors.safetensors'))
    .filter((path) => existsSync(path));
}

function copiesIn(world: World): string[] {
  const backups = join(world.home, 'backups');
  return existsSync(backups) ? readdirSync(backups).flatMap((session) => tensorsIn(join(backups, session))) : [];
}

function checkpointsIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('checkpoint_'));
}

/** Each command that reads checkpoints, under a wrapper that makes one of them unreadable. */
async function refusedEverywhere(
  world: World,
  wrapper: readonly string[],
  stopped: Stopped,
  errno: string,
): Promise<void> {
  const { directory, checkpoints } = stopped;
  const verify = await world.startUnder(wrapper, ['verify', 'latest', '--json'], {}).ended(74);
  expect(JSON.parse(verify.stdout).damaged).toEqual([]);
  const explain = await world.startUnder(wrapper, ['explain', 'latest', '--json'], {}).ended(74);
  const { candidates } = JSON.parse(explain.stdout) as { candidates: { verdict: string }[] };
  expect(new Set(candidates.map(({ verdict }) => verdict))).toEqual(new Set(['unreadable']));
  const resume: Run = await world.startUnder(wrapper, ['resume', 'latest', '--json'], {}).ended(74);
  expect(resume.named('attempt-started')).toEqual([]);
  expect(resume.named('checkpoint-quarantined')).toEqual([]);
  expect(`${resume.stdout}${resume.stderr}`).toContain(errno);
  expect(checkpointsIn(directory)).toEqual(checkpoints);
  expect(existsSync(join(directory, '.quarantine')) ? readdirSync(join(directory, '.quarantine')) : []).toEqual([]);
}

const strace = (paths: readonly string[]): string[] => [
  ...['strace', '-f', '-qq', '-o', '/dev/null', ...paths.flatMap((path) => ['-P', path])],
  ...['-e', 'trace=pread64,preadv,read', '-e', 'inject=pread64,preadv,read:error=EIO'],
];
const canTrace = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']).status === 0;

testInWorld.concurrent(
  'a device that answers EIO: exit 74, nothing quarantined; healed, it goes on from there',
  { skip: !canTrace },
  async ({ world }) => {
    const stopped = await interrupted(world);
    await refusedEverywhere(world, strace(stopped.tensors), stopped, 'EIO');
    world.enough();
    const healed = await world.start(['resume', 'latest', '--json']).ended(0);
    expect((await healed.event('checkpoint-chosen')).sequence).toBe(stopped.newest);
  },
);

const asNobody = ['setpriv', '--reuid', NOBODY, '--regid', NOBODY, '--clear-groups'];
/** Only root may become somebody else, and that one must be able to read what is tested. */
const canBeNobody =
  process.getuid?.() === 0 &&
  spawnSync('setpriv', [...asNobody.slice(1), process.execPath, COMMAND, '--version']).status === 0;

testInWorld.concurrent(
  'a file that we may not read: exit 74, nothing quarantined',
  { skip: !canBeNobody },
  async ({ world }) => {
    const stopped = await interrupted(world);
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, world.directory]);
    for (const path of stopped.tensors) chmodSync(path, 0o000);
    await refusedEverywhere(world, asNobody, stopped, 'EACCES');
  },
);

testInWorld.concurrent(
  'the session cannot be read, an older copy of a best model can: exit 74 and how to take the copy; mended, nothing is lost',
  { skip: !canBeNobody },
  async ({ world }) => {
    const stopped = await interrupted(world);
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, world.directory]);
    const own = stopped.tensors.filter((path) => path.startsWith(stopped.directory));
    const copy = stopped.tensors.find((path) => !own.includes(path));
    expect(copy).toBeDefined();
    for (const path of own) chmodSync(path, 0o000);
    const resume = await world.startUnder(asNobody, ['resume', 'latest'], {}).ended(74);
    expect(resume.stderr + resume.stdout).toContain('EACCES');
    expect(resume.stderr + resume.stdout).toContain(`--from ${join(`${copy}`, '..')}`);
    expect(checkpointsIn(stopped.directory)).toEqual(stopped.checkpoints);
    for (const path of own) chmodSync(path, 0o600);
    world.enough();
    const mended = await world.startUnder(asNobody, ['resume', 'latest', '--json'], {}).ended(0);
    expect((await mended.event('checkpoint-chosen')).sequence).toBe(stopped.newest);
  },
);
