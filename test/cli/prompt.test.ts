/** The question before a session is continued, on a real terminal. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/checkpoint/digest.ts';
import { World } from './world.ts';

const A = '20261122_120000_aaaa';
const SOURCE = 'console.log("trained");\n';
const LINE = ['run', 'train.mjs', '--epochs', '3'];

async function worldWithSession(sourceDigest: string | null = null): Promise<World> {
  const world = new World();
  writeFileSync(join(world.directory, 'train.mjs'), SOURCE);
  await world.addSession(A, { steps: [10, 20], file: { sourceDigest } });
  return world;
}

test('the end of the input does nothing at all', async () => {
  const world = await worldWithSession();
  const { output, code } = await world.terminal(LINE, { script: [{ wait: '[Y/n]', send: '\u0004' }] });
  expect(code).toBe(0);
  expect(output).toContain(`Continue session ${A} from epoch 2, step 20 (checkpoint 2,`);
  expect(output).toContain('Nothing was started');
  expect(readdirSync(world.home.checkpoints)).toEqual([A]);
});

test('Ctrl-C at the question ends with 130 and nothing done', async () => {
  const world = await worldWithSession();
  const { output, code } = await world.terminal(LINE, { script: [{ wait: '[Y/n]', send: '\u0003' }] });
  expect(code).toBe(130);
  // The shell's prompt comes in a line of its own.
  expect(output).toMatch(/\^C\r?\n$/);
  expect(readdirSync(world.home.checkpoints)).toEqual([A]);
});

test('an answer that is none is asked for again', async () => {
  const world = await worldWithSession();
  const script = [
    { wait: '[Y/n]', send: 'perhaps\n' },
    { wait: 'answer y or n', send: '\u0004' },
  ];
  expect((await world.terminal(LINE, { script })).code).toBe(0);
});

test('a trainer whose source has changed is told in the question, an unchanged one is not', async () => {
  const script = [{ wait: '[Y/n]', send: '\u0004' }];
  const changed = await (await worldWithSession('0'.repeat(32))).terminal(LINE, { script });
  expect(changed.output).toContain('train.mjs has changed');
  const same = await (await worldWithSession(digestOf(Buffer.from(SOURCE)))).terminal(LINE, { script });
  expect(same.output).toContain('[Y/n]');
  expect(same.output).not.toContain('has changed');
});

test('other arguments are another session: nothing is asked', async () => {
  const world = await worldWithSession();
  const { output } = await world.terminal(['run', 'train.mjs', '--epochs', '4']);
  expect(output).not.toContain('[Y/n]');
  expect(readdirSync(world.home.checkpoints)).toHaveLength(2);
});

test('a session that somebody holds is refused before anyone is asked', async () => {
  const world = new World();
  writeFileSync(join(world.directory, 'train.mjs'), SOURCE);
  await world.addSession(A, { steps: [10], held: true, row: { state: 'running' } });
  const { output, code } = await world.terminal(LINE);
  expect(code).toBe(73);
  expect(output).not.toContain('[Y/n]');
});
