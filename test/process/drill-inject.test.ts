/** Drills that break a copy: the session comes back from each fault, what does not is told, the originals stay untouched. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { treeOf } from '../rig/tree-of.ts';
import { drill, expectNothingLeft, type Found, foundIn, sessionFolder, trained } from './drill-rig.ts';
import { COMMAND, testInWorld, type World } from './rig.ts';

function originals(world: World): readonly string[] {
  return treeOf(sessionFolder(world)).filter((text) => !text.includes('.pins'));
}

testInWorld.concurrent('damage, a full disk, kills: it comes back from each, on a copy', async ({ world }) => {
  // Too slow to come to its end within the time of the kills, however fast this machine is.
  await trained(world, {}, ['--rehearsed-step-ms', '1000']);
  const before = originals(world);
  const asked = ['corrupt-newest', 'kill', 'disk-full', 'memory=8GiB', 'random-kill=2s'];
  const { code, session } = await drill(world, ['--inject', asked.join()]);
  expect(session.problems).toEqual([]);
  expect(code).toBe(0);
  const told = new Map(session.injected.map(({ name, ok, text }) => [name, ok ? text : `NO: ${text}`]));
  expect([...told.keys()].sort()).toEqual([...asked].sort());
  const newest = Math.max(...session.checkpoints.map(({ sequence }) => sequence));
  expect(told.get('corrupt-newest')).toContain(
    `checkpoint ${newest} was turned: seen, moved aside, ${newest - 1} taken`,
  );
  expect(told.get('disk-full')).toContain(`a save found no room, checkpoint ${newest - 1} stayed`);
  expect(told.get('kill')).toMatch(/^killed in its first step after \d+, gone within/);
  expect(told.get('random-kill=2s')).toMatch(/^killed [1-9]\d* times/);
  expect(session).toMatchObject({ level: 3, chosen: { sequence: newest - 1 }, rehearsal: { outcome: 'done' } });
  expect(originals(world)).toEqual(before);
  expectNothingLeft(world);
  expect(world.processes()).toEqual([]);
  const { drills } = (await world.query(['drill', '--history'])) as { drills: { injected: string[] }[] };
  expect(drills.at(-1)?.injected.length).toBe(asked.length);
});

testInWorld.concurrent(
  'damage that was there before is no part of the rehearsal; another framework is told',
  async ({ world }) => {
    await trained(world);
    const folder = sessionFolder(world);
    const newest = readdirSync(folder).find((name) => /^checkpoint_.*_14_2$/.test(name)) ?? 'none';
    const path = join(folder, newest, 'tensors.safetensors');
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    writeFileSync(path, bytes);
    const { code, session } = await drill(world, ['--inject', 'corrupt-newest'], { NKAT_TEST_MOOD: 'newer' });
    expect(code).toBe(65);
    expect(session.injected).toMatchObject([{ ok: true, text: expect.stringContaining('did not verify before') }]);
    expect(session.problems).toEqual([expect.stringContaining('checkpoint 2: tensors.safetensors')]);
    expect(session.warnings).toContain('checkpoint 1: it was made with tensors 1.0.0, here runs 9.1.0');
    const words = world.start(['drill', '--level', '3'], COMMAND, { NKAT_TEST_MOOD: 'newer' });
    await words.ended(65);
    expect(words.stdout).toContain('Note: checkpoint 1: it was made with tensors 1.0.0, here runs 9.1.0');
  },
);

testInWorld.concurrent('a trainer that needs more memory than there is, is ended and told', async ({ world }) => {
  await trained(world);
  const { code, session } = await drill(world, ['--inject', 'memory=1MB']);
  expect(code).toBe(65);
  expect(session.problems).toEqual(['the recovery afterwards: the trainer needed more memory than that']);
  expect(world.processes()).toEqual([]);
  expectNothingLeft(world);
});

/** An nvidia-smi that shows these cards. */
function withCards(world: World, indices: readonly number[]): NodeJS.ProcessEnv {
  const folder = join(world.directory, `cards-${indices.length}`);
  mkdirSync(folder);
  const program = join(folder, 'nvidia-smi');
  writeFileSync(program, `#!/bin/sh\n${indices.map((index) => `echo ${index}`).join('\n')}\n`);
  chmodSync(program, 0o755);
  return { PATH: `${folder}:${process.env.PATH}`, NKAT_TEST_FOUND: join(folder, 'found') };
}

function found({ NKAT_TEST_FOUND: path = '' }: NodeJS.ProcessEnv): readonly Found[] {
  return foundIn(path);
}

testInWorld.concurrent(
  'GPUs: none by default, those that are named, and one that goes; refused where there are none',
  async ({ world }) => {
    await trained(world, { CUDA_VISIBLE_DEVICES: '0', CONDA_PREFIX: '/opt/envs/night' });
    const none = withCards(world, []);
    expect((await drill(world, ['--level', '3'], none)).code).toBe(0);
    const [kind] = found(none);
    // The cards are hidden; all else is what the session was started with, as a recovery at boot has it.
    expect(kind).toMatchObject({ cards: '', order: null, conda: '/opt/envs/night' });
    expect(kind?.priority).toBe(constants.priority.PRIORITY_LOW);
    expect(kind?.temporary).toContain(join(world.home, 'drills', 'scratch-'));
    const four = withCards(world, [0, 1, 2, 3]);
    expect((await drill(world, ['--inject', 'gpus=0,2,3'], four)).code).toBe(0);
    expect(found(four)).toMatchObject([{ cards: '0,2,3', order: 'PCI_BUS_ID' }]);
    const one = withCards(world, [0]);
    const named = { ...one, PATH: process.env.PATH, NKAT_NVIDIA_SMI: join(`${one.NKAT_TEST_FOUND}`, '../nvidia-smi') };
    const lost = await drill(world, ['--inject', 'gpu-lost'], { ...named, CUDA_VISIBLE_DEVICES: '0' });
    expect(lost.session.injected).toMatchObject([{ name: 'gpu-lost', ok: true }]);
    // With its card, then without any.
    expect(found(one).map(({ cards }) => cards)).toEqual(['0', '']);
    for (const [fault, environment, words] of [
      ['gpu-lost', none, 'nvidia-smi shows none'],
      ['gpus=0,2', one, 'gpus=0,2 needs GPU 2; nvidia-smi shows 0'],
    ] as const) {
      const refused = world.start(['drill', '--inject', fault], COMMAND, environment);
      await refused.ended(78);
      expect(refused.stderr).toContain(words);
    }
  },
);
