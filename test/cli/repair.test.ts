/** `repair` on a real state home that was hurt in every way we know. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SessionFile } from '../../src/checkpoint/types.ts';
import type { RepairFinding } from '../../src/supervisor/repair-finding.ts';
import { LoopMount, testWithMounts } from '../rig/loop-mount.ts';
import { World } from './world.ts';

const A = '20261122_120000_aaaa';
const B = '20261122_130000_bbbb';

async function repaired(
  world: World,
  args: readonly string[] = [],
): Promise<{ code: number | null; findings: RepairFinding[] }> {
  const { code, stdout, stderr } = await world.cli(['repair', '--json', ...args]);
  if (stdout === '') throw new Error(stderr);
  return { code, findings: JSON.parse(stdout).findings };
}

const words = (findings: readonly RepairFinding[]): string[] => findings.map(({ what }) => what).sort();

function hurt(world: World, how: 'deleted' | 'directory' | 'text' | 'flipped'): void {
  for (const suffix of ['', '-wal', '-shm'])
    rmSync(`${world.home.database}${suffix}`, { force: true, recursive: true });
  if (how === 'directory') mkdirSync(world.home.database);
  if (how === 'text') writeFileSync(world.home.database, 'this is no database\n'.repeat(1_000));
  if (how === 'flipped') writeFileSync(world.home.database, `SQLite format 3\0${'\xff'.repeat(8_000)}`, 'latin1');
}

test('a state home that takes no file: refused, and nothing is said to be made', async () => {
  const { code, stdout, stderr } = await new World().cli(['repair'], { NKAT_HOME: '/proc/nowhere/home' });
  expect({ code, stdout }).toEqual({ code: 74, stdout: '' });
  expect(stderr).toMatch(/cannot make the state home: .*\/proc\/nowhere\/home/);
  expect(stderr).toContain('NKAT_HOME');
});

test.each(['deleted', 'directory', 'text', 'flipped'] as const)('a database that was %s is made again', async (how) => {
  const world = new World();
  await world.addSession(A, { steps: [1, 2] });
  await world.addSession(B, { steps: [1], row: { state: 'completed' } });
  hurt(world, how);
  const dry = await repaired(world, ['--dry-run']);
  expect(words(dry.findings)).toEqual([how === 'deleted' ? 'database-missing' : 'database-damaged']);
  const { code, findings } = await repaired(world);
  expect(code).toBe(0);
  expect(findings[0]?.fixed).toContain('made again');
  const { sessions } = JSON.parse((await world.cli(['list', '--json'])).stdout);
  expect(sessions).toMatchObject([
    { id: B, state: 'completed', checkpoints: 1 },
    { id: A, state: 'interrupted', checkpoints: 2 },
  ]);
  const aside = readdirSync(world.home.directory).filter((name) => name.includes('.damaged-'));
  expect(aside.length > 0).toBe(how !== 'deleted');
  expect((await repaired(world)).findings).toEqual([]);
});

test.each(['missing', 'damaged'])('a record that is %s is made again from checkpoints and index', async (how) => {
  const world = new World();
  const { directory } = await world.addSession(A, { steps: [3, 7], row: { name: 'night' } });
  const path = join(directory, 'session.json');
  const token = JSON.parse(readFileSync(path, 'utf8')).token;
  if (how === 'missing') rmSync(path);
  else truncateSync(path, 30);
  expect((await repaired(world, ['--dry-run'])).findings).toMatchObject([
    { what: 'record-lost', fixed: 'would be made again' },
  ]);
  expect(existsSync(path)).toBe(how === 'damaged');
  const { findings } = await repaired(world, [A]);
  expect(findings).toMatchObject([{ what: 'record-lost', fixed: expect.stringContaining('lost are') }]);
  const file = JSON.parse(readFileSync(path, 'utf8'));
  expect(file).toMatchObject({
    id: A,
    state: 'interrupted',
    lastCommit: { sequence: 2, step: 7 },
    identity: { name: 'night' },
    claim: expect.any(Number),
  });
  expect(file.token).not.toBe(token);
  expect(readdirSync(directory).some((name) => name.startsWith('session.json.damaged-'))).toBe(how === 'damaged');
});

test('a record that nothing can make again is said: exit 65', async () => {
  const world = new World();
  const { directory } = await world.addSession(A, { steps: [1] });
  rmSync(join(directory, 'session.json'));
  hurt(world, 'deleted');
  const { code, findings } = await repaired(world);
  expect(code).toBe(65);
  expect(findings.at(-1)).toMatchObject({ what: 'record-lost', fixed: null });
});

test('what a living session has in progress is left alone, what the dead left is removed', async () => {
  const world = new World();
  const dead = 'commit_9_999999_1_none_none_none';
  const tag = (directory: string): string => {
    const path = join(directory, '.staging', dead);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const live = tag((await world.addSession(A, { steps: [1], held: true })).directory);
  const over = await world.addSession(B, { steps: [1] });
  mkdirSync(join(over.directory, '.trash', 'checkpoint_x'), { recursive: true });
  const { findings } = await repaired(world);
  expect(findings).toMatchObject([
    { what: 'left-over', path: over.directory, fixed: expect.stringContaining('removed') },
  ]);
  expect(readdirSync(join(over.directory, '.trash'))).toEqual([]);
  expect(existsSync(live)).toBe(true);
});

test('strays, link circles, a lost root and a new root: each is passed over or said', async () => {
  const world = new World();
  await world.addSession(A, { steps: [1] });
  const root = world.home.checkpoints;
  for (let n = 0; n < 100; n += 1) writeFileSync(join(root, `stray-${n}`), 'x');
  for (let n = 0; n < 100; n += 1) mkdirSync(join(root, `stray-directory-${n}`, 'below'), { recursive: true });
  mkdirSync(join(root, 'lost+found'));
  symlinkSync('circle', join(root, 'circle'));
  symlinkSync('..', join(root, 'up'));
  writeFileSync(world.home.roots, `${join(world.directory, 'unmounted')}\n`);
  const more = join(world.directory, 'more');
  mkdirSync(more);
  const { directory } = await world.addSession(B, { steps: [1] });
  renameSync(directory, join(more, B));
  const { code, findings } = await repaired(world, ['--root', more]);
  expect(words(findings)).toEqual(['root-missing', 'root-registered']);
  expect(code).toBe(74);
  expect(readFileSync(world.home.roots, 'utf8')).toContain(more);
  expect(readdirSync(root)).toHaveLength(204);
  const { sessions } = JSON.parse((await world.cli(['list', '--json'])).stdout);
  expect(sessions).toMatchObject([
    { id: B, checkpoints: 1 },
    { id: A, checkpoints: 1 },
  ]);
});

test('a root without sessions is refused and not remembered; beside a session, what is none is no finding', async () => {
  const world = new World();
  const { directory } = await world.addSession(A, { steps: [1] });
  const other = join(world.directory, 'other');
  // Of other programs: a record of their own, checkpoints of their own, nothing.
  mkdirSync(join(other, 'browser'), { recursive: true });
  writeFileSync(join(other, 'browser', 'session.json'), '{"tabs":[]}');
  mkdirSync(join(other, 'model', 'checkpoint_1000'), { recursive: true });
  mkdirSync(join(other, '20261122_120000_zzzz'));
  for (const args of [[], ['--dry-run']]) {
    const { code, stdout, stderr } = await world.cli(['repair', '--root', other, ...args]);
    expect([code, stdout, stderr]).toEqual([66, '', expect.stringContaining('no sessions there') as string]);
    expect(stderr).toContain(other);
  }
  const itself = await world.cli(['repair', '--root', directory]);
  expect([itself.code, itself.stderr]).toEqual([66, expect.stringContaining(`--root '${world.home.checkpoints}'`)]);
  expect(existsSync(world.home.roots)).toBe(false);
  renameSync(directory, join(other, A));
  const { code, stdout } = await world.cli(['repair', '--json', '--root', other]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ sessions: 1, findings: [{ what: 'root-registered', path: other }] });
  expect(readFileSync(world.home.roots, 'utf8')).toBe(`${other}\n`);
});

test('one session is meant by what is enough elsewhere too, also where the index is lost', async () => {
  const world = new World();
  await world.addSession(A, { row: { name: 'night' }, file: { identity: identityOf(world, 'night') } });
  await world.addSession(B);
  const looked = async (word: string): Promise<[number | null, number]> => {
    const { code, stdout } = await world.cli(['repair', '--json', word]);
    return [code, JSON.parse(stdout).sessions];
  };
  for (const word of [A, '20261122_12', 'night', 'latest']) expect([word, await looked(word)]).toEqual([word, [0, 1]]);
  for (const word of ['20261122_13', 'latest']) {
    hurt(world, 'deleted');
    expect([word, await looked(word)]).toEqual([word, [0, 1]]);
  }
  const unclear = await world.cli(['repair', '2026']);
  expect([unclear.code, unclear.stderr]).toEqual([66, expect.stringContaining(B)]);
  expect((await world.cli(['repair', 'nothing'])).stderr).toContain('no directory of session nothing');
});

function identityOf(world: World, name: string): SessionFile['identity'] {
  return { cwd: world.directory, trainer: join(world.directory, 'train.mjs'), args: [], name };
}

testWithMounts('a root on a read-only disk: what cannot be mended is said, with 74 and no stack', async () => {
  const world = new World();
  const disk = LoopMount.make();
  symlinkSync(disk.path, world.home.checkpoints);
  const { directory } = await world.addSession(A, { steps: [1, 2] });
  truncateSync(join(directory, 'session.json'), 30);
  disk.remount('ro');
  const { code, stdout, stderr } = await world.cli(['repair']);
  expect({ code, stdout, stderr }).toEqual({ code: 74, stdout: expect.any(String), stderr: expect.any(String) });
  expect(stdout + stderr).toMatch(/read-only|EROFS/);
  expect(stdout + stderr).toContain(A);
  expect(stdout + stderr).not.toMatch(/^\s+at /m);
  disk.remount('rw');
  expect((await repaired(world)).code).toBe(0);
  expect(JSON.parse((await world.cli(['verify', A, '--json'])).stdout)).toMatchObject({ damaged: [], checked: 2 });
});

test('a database of a newer release is refused, not set aside', async () => {
  const world = new World();
  await world.addSession(A, { steps: [1] });
  const { default: Database } = await import('better-sqlite3');
  const database = new Database(world.home.database);
  database.pragma('user_version = 999');
  database.close();
  const before = readFileSync(world.home.database);
  const { code, stderr } = await world.cli(['repair']);
  expect([code, stderr]).toEqual([78, expect.stringContaining('version 999')]);
  expect(readFileSync(world.home.database).equals(before)).toBe(true);
});

test('a root that is not there is refused and not remembered', async () => {
  const world = new World();
  await world.addSession(A, { steps: [1] });
  const { code, stderr } = await world.cli(['repair', '--root', join(world.directory, 'typo')]);
  expect([code, stderr]).toEqual([74, expect.stringContaining('typo')]);
  expect(await repaired(world)).toEqual({ code: 0, findings: [] });
});

test('an empty root, as of a shell variable that is not set, adds no folder', async () => {
  const world = new World();
  expect(await world.cli(['repair', '--root', ''])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('--root is empty'),
  });
  expect(existsSync(world.home.roots)).toBe(false);
});
