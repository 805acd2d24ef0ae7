/** `run` and `resume` on sessions that were there before, with trainers that really run. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type SessionChanges, World } from './world.ts';

const A = '20261122_120000_aaaa';
/** Needs no SDK: it says what it was started with and ends well. */
const TRAINER = 'console.log("arguments", process.argv.slice(2).join(" "));\n';
const LINE = ['run', 'train.mjs', '--epochs', '3'];

async function worldWith(changes: SessionChanges = {}): Promise<World> {
  const world = new World();
  writeFileSync(join(world.directory, 'train.mjs'), TRAINER);
  await world.addSession(A, { steps: [10, 20], ...changes });
  return world;
}

function sessionsOf(world: World): string[] {
  return readdirSync(world.home.checkpoints);
}

test('without a terminal the same line continues at once; --new does not', async () => {
  const world = await worldWith();
  const fresh = await world.cli(['run', '--new', 'train.mjs', '--epochs', '3']);
  expect(fresh.stderr).toContain('new');
  expect(sessionsOf(world)).toHaveLength(2);
  const continued = await (await worldWith()).cli(LINE);
  expect(continued.stderr).toContain(`Session ${A}: continued`);
  expect(continued.stdout).toContain('arguments --epochs 3');
});

test('on a terminal yes continues, no starts anew, --resume does not ask', async () => {
  const yes = await (await worldWith()).terminal(LINE, { script: [{ wait: '[Y/n]', send: '\n' }] });
  expect(yes.output).toContain(`Session ${A}: continued`);
  const world = await worldWith();
  await world.terminal(LINE, { script: [{ wait: '[Y/n]', send: 'n\n' }] });
  expect(sessionsOf(world)).toHaveLength(2);
  const unasked = await (await worldWith()).terminal(['run', '--resume', ...LINE.slice(1)]);
  expect(unasked.output).not.toContain('[Y/n]');
  expect(unasked.output).toContain('continued');
});

test('a completed session is not continued by its line: a new one starts, and that is said', async () => {
  const world = await worldWith({ row: { state: 'completed' } });
  const { stderr } = await world.cli(LINE);
  expect(stderr).toContain(`Session ${A} has completed; this starts a new one`);
  expect(sessionsOf(world)).toHaveLength(2);
});

test('resume of a completed session needs other arguments', async () => {
  const world = await worldWith({ row: { state: 'completed' } });
  const plain = await world.cli(['resume', 'latest']);
  expect(plain.code).toBe(0);
  expect(plain.stderr).toContain(`nkat-recover resume ${A} -- ARGS`);
  const more = await world.cli(['resume', A, '--', '--epochs', '9']);
  expect(more.stdout).toContain('arguments --epochs 9');
  expect(more.stderr).toContain('continued');
});

test('resume takes the beginning of an id and a checkpoint by number, and works from any folder', async () => {
  const world = await worldWith();
  const { stderr } = await world.cli(['resume', A.slice(0, 9), '--from', '1']);
  expect(stderr).toMatch(/checkpoint 1\b/);
});

test('resume refuses what cannot be started: 78 with the path', async () => {
  const world = await worldWith();
  rmSync(join(world.directory, 'train.mjs'));
  const { code, stderr } = await world.cli(['resume', 'latest']);
  expect(code).toBe(78);
  expect(stderr).toContain('train.mjs');
});

test('a recorded directory that is gone is 74 and starts nothing', async () => {
  const world = await worldWith();
  rmSync(join(world.home.checkpoints, A), { recursive: true });
  const { code, stderr } = await world.cli(LINE);
  expect(code).toBe(74);
  expect(stderr).toContain('--new');
  expect(sessionsOf(world)).toEqual([]);
});

test('explain names every candidate and the steps lost, and changes nothing', async () => {
  const world = await worldWith();
  const path = join(world.home.checkpoints, A, `checkpoint_${A}_20_2`, 'tensors.safetensors');
  writeFileSync(path, 'torn');
  const { code, stdout } = await world.cli(['explain', 'latest']);
  expect(code).toBe(0);
  for (const fact of ['checkpoint 1 (epoch 1, step 10)', '30 steps lost', 'checkpoint 2', 'damaged'])
    expect(stdout).toContain(fact);
  expect(JSON.parse((await world.cli(['explain', A, '--json'])).stdout)).toMatchObject({
    version: 1,
    session: A,
    chosen: 1,
    stepsLost: 30,
    candidates: [
      { sequence: 2, verdict: 'damaged' },
      { sequence: 1, step: 10, verdict: 'chosen' },
    ],
  });
  writeFileSync(path.replace('_20_2', '_10_1'), 'torn');
  expect((await world.cli(['explain', A])).code).toBe(65);
  expect(sessionsOf(world)).toEqual([A]);
  expect(readdirSync(join(world.home.checkpoints, A)).filter((name) => name.startsWith('checkpoint_'))).toHaveLength(2);
});

test('a lost database costs nothing: the sessions are read from their directories', async () => {
  const world = await worldWith();
  for (const suffix of ['', '-wal', '-shm']) rmSync(world.home.database + suffix, { force: true });
  expect((await world.cli(['list'])).stdout).toContain(A);
  for (const suffix of ['', '-wal', '-shm']) rmSync(world.home.database + suffix, { force: true });
  expect((await world.cli(LINE)).stderr).toContain(`Session ${A}: continued`);
});
