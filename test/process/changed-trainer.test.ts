/** What changed since the checkpoint is told in words; where the run cannot go on, it is refused and nothing is lost. */
import { copyFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Run, World } from './rig.ts';

const NETWORK = fileURLToPath(new URL('../../fixtures/trainers/network.mjs', import.meta.url));
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

let world: World;
let trainer: string;
beforeEach(() => {
  world = new World();
  // A copy, so that its source can be changed.
  trainer = join(world.directory, 'network.mjs');
  copyFileSync(NETWORK, trainer);
  symlinkSync(MODULES, join(world.directory, 'node_modules'));
});
afterEach(() => world.close());

/** Stopped by a code that ends the session, in the middle of the second epoch. */
async function interrupted(args: readonly string[] = []): Promise<string> {
  const run = world.run([trainer, '--fail', 'exit', '--at-step', '7', ...args], ['--no-restart-codes', '3']);
  const { directory } = await run.event('session-opened');
  await run.ended(93);
  return directory;
}

const resumed = (args: readonly string[]): Run => world.start(['resume', 'latest', '--json', '--', ...args]);
const notices = (run: Run): string =>
  run
    .named('notice')
    .map(({ message }) => message)
    .join('\n');

/** Told with names and shapes; exit 78; one attempt; every checkpoint stays and none is set aside. */
async function isRefused(directory: string, run: Run, words: readonly string[]): Promise<void> {
  await run.ended(78);
  for (const word of words) expect(notices(run)).toContain(word);
  expect(notices(run)).toContain('--new');
  expect(run.named('attempt-started')).toHaveLength(1);
  expect(run.named('checkpoint-set-aside')).toEqual([]);
  const names = readdirSync(directory).filter((name) => name.startsWith('checkpoint_'));
  expect(names.length).toBeGreaterThan(0);
  expect(JSON.parse(readFileSync(join(directory, 'session.json'), 'utf8')).setAside).toEqual([]);
}

test('shape, optimizer, average, data: refused with names, and the same line as before still goes on', async () => {
  const directory = await interrupted();
  await isRefused(directory, resumed(['--hidden', '9']), ['model/0_Dense/kernel', 'F32[4, 6]', 'F32[4, 9]']);
  await isRefused(directory, resumed(['--optimizer', 'sgd']), ['Adam instead of SGD']);
  await isRefused(directory, resumed(['--no-average']), ['ema instead of none']);
  await isRefused(directory, resumed(['--length', '80']), ['80 samples instead of 64']);
  const again = resumed([]);
  await again.ended(0);
  expect(again.named('training-started')[0]?.step).toBe(6);
});

test('arguments that fit, and the source: told in words, and the run goes on', async () => {
  await interrupted();
  writeFileSync(trainer, `${readFileSync(trainer, 'utf8')}\n// changed\n`);
  const run = resumed(['--epochs', '4']);
  await run.ended(0);
  expect(run.named('trainer-changed')[0]?.trainer).toBe(trainer);
  expect(notices(run)).toContain('--epochs 4 now, before they were --fail exit --at-step 7');
  expect(run.named('session-ended')[0]?.summary.lastCheckpoint?.step).toBe(16);
});
