/** What changed since the checkpoint is told in words; where the run cannot go on, it is refused and nothing is lost. */
import { copyFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Run, testInWorld, type World } from './rig.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures/trainers', import.meta.url));
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** A copy, so that its source can be changed, where the SDK is found. */
function copyOf(world: World, name: string): string {
  symlinkSync(MODULES, join(world.directory, 'node_modules'));
  const trainer = join(world.directory, name);
  copyFileSync(join(FIXTURES, name), trainer);
  return trainer;
}

/** Stopped by a code that ends the session. @returns its directory */
async function interrupted(world: World, line: readonly string[], options: string[] = []): Promise<string> {
  const run = world.run(line, ['--no-restart-codes', '3', ...options]);
  const { directory } = await run.event('session-opened');
  await run.ended(93);
  return directory;
}

function resumed(world: World, args: readonly string[]): Run {
  return world.start(['resume', 'latest', '--json', '--', ...args]);
}

const notices = (run: Run): string =>
  run
    .named('notice')
    .map(({ message }) => message)
    .join('\n');

/** Told once, with names and shapes and without a stack; exit 78; one attempt; every checkpoint stays and none is set aside. */
async function isRefused(directory: string, run: Run, words: readonly (string | RegExp)[]): Promise<void> {
  const before = recordIn(directory);
  await run.ended(78);
  expect(recordIn(directory).identity.args).toEqual(before.identity.args);
  expect(run.named('session-ended')[0]?.hint).toContain('keeps the arguments that it had');
  const lines = run.outputLines();
  const [told = '', ...again] = lines.filter((line) => line.startsWith('nkat-recover: '));
  expect(again).toEqual([]);
  for (const word of [...words, '--new']) expect(told).toMatch(word);
  expect(lines.filter((line) => /^\s+at |NkatError|^Node\.js/.test(line))).toEqual([]);
  expect(run.named('attempt-started')).toHaveLength(1);
  const [end] = run.named('worker-ended');
  expect(end).toMatchObject({ class: 'config', reason: expect.stringContaining(told.slice(14, 100)) });
  expect(run.named('checkpoint-set-aside')).toEqual([]);
  expect(readdirSync(directory).some((name) => name.startsWith('checkpoint_'))).toBe(true);
  expect(readdirSync(directory)).not.toContain('.quarantine');
  expect(recordIn(directory).setAside).toEqual([]);
}

interface SessionRecord {
  readonly identity: { readonly args: string[] };
  readonly setAside: unknown[];
  readonly launch: { readonly environment: Readonly<Record<string, string>> };
}

function recordIn(directory: string): SessionRecord {
  return JSON.parse(readFileSync(join(directory, 'session.json'), 'utf8'));
}

testInWorld.concurrent(
  'another shape, another length of the data: refused with names, and the same line as before still goes on',
  async ({ world }) => {
    const line = [copyOf(world, 'network.mjs'), '--fail', 'exit', '--at-step', '7'];
    const directory = await interrupted(world, line);
    await isRefused(directory, resumed(world, ['--hidden', '9']), [
      'model/0_Dense/kernel is F32[4, 6] instead of F32[4, 9]',
      /\(checkpoint \d+ of step 6, .*checkpoint_\S+\)/,
      /; and \d+ more \(/,
    ]);
    await isRefused(directory, resumed(world, ['--length', '80']), ['80 samples instead of 64']);
    const again = resumed(world, []);
    await again.ended(0);
    expect(again.named('training-started')[0]?.step).toBe(6);
  },
);

testInWorld.concurrent(
  'arguments that fit are told, the profile of the card stays, and the run goes on',
  async ({ world }) => {
    const options = ['--gpu-profile', 'rtx3080'];
    const directory = await interrupted(world, [copyOf(world, 'fragile.mjs'), '--exit-at', '3'], options);
    const run = resumed(world, ['--steps', '5']);
    await run.ended(0);
    expect(run.named('trainer-changed')).toEqual([]);
    expect(notices(run)).toContain('--steps 5 now, before they were --exit-at 3');
    expect(notices(run)).toContain('--gpu-profile rtx3080 as before; --gpu-profile off leaves it out.');
    // Whoever brings it back after a cut has it too.
    expect(recordIn(directory).launch.environment.NKAT_GPU_PROFILE).toBe('rtx3080');
    expect(run.named('session-ended')[0]?.summary.lastCheckpoint?.step).toBe(5);
  },
);

testInWorld.concurrent('the source alone is told, by the very same line', async ({ world }) => {
  const line = [copyOf(world, 'fragile.mjs'), '--exit-at', '3'];
  await interrupted(world, line);
  const unchanged = world.run(line, ['--no-restart-codes', '3']);
  await unchanged.ended(93);
  expect(unchanged.named('trainer-changed')).toEqual([]);
  const [trainer = ''] = line;
  writeFileSync(trainer, `${readFileSync(trainer, 'utf8')}\n// changed\n`);
  const run = world.run(line, ['--no-restart-codes', '3']);
  await run.ended(93);
  expect(run.named('trainer-changed').map((event) => event.trainer)).toEqual([trainer]);
  expect(notices(run)).not.toContain('now, before they were');
});
