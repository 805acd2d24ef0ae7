/** What cannot be done is told in plain words, with an exit of the table, and changes nothing. */
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from './world.ts';

const A = '20261122_120000_aaaa';

async function refused(
  world: World,
  args: readonly string[],
  code: number,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { stdout, stderr, ...ended } = await world.cli(args, environment);
  expect([args, ended.code, stdout]).toEqual([args, code, '']);
  for (const word of words) expect(stderr).toContain(word);
  expect(stderr).not.toMatch(/^\s+at |EEXIST|Allowed choices/m);
}

test('a state home that can be none', async () => {
  const world = new World();
  const circle = join(world.directory, 'circle');
  symlinkSync('circle', circle);
  await refused(world, ['list'], 74, ['it is no folder (/dev/null)', 'NKAT_HOME'], { NKAT_HOME: '/dev/null' });
  await refused(world, ['repair'], 74, ['below something that is no folder'], { NKAT_HOME: '/dev/null/x' });
  await refused(world, ['repair'], 74, ['circle'], { NKAT_HOME: circle });
  const { code } = await world.cli(['completion', 'bash'], { NKAT_HOME: '/dev/null' });
  expect(code).toBe(0);
});

test('--config and --no-config exclude one another, in either order', async () => {
  const world = new World();
  writeFileSync(join(world.directory, 'train.mjs'), '');
  writeFileSync(join(world.directory, 'other.yaml'), 'keep: 7\n');
  const words = ['--config and --no-config exclude one another'];
  await refused(world, ['run', '--no-config', '--config', 'other.yaml', 'train.mjs'], 64, words);
  await refused(world, ['config', '--config', 'other.yaml', '--no-config', 'train.mjs'], 64, words);
});

test('a kind of save, a number to keep, a shell: each says what is accepted', async () => {
  const world = new World();
  await refused(world, ['save', '--kind', 'Before'], 64, [
    '--kind is "Before"; accepted are up to 32 small letters, digits and dashes, but not final, best, auto',
    'Did you mean --kind before?',
  ]);
  await refused(world, ['save', '--kind', 'final'], 64, ['kept for the saves', 'accepted are up to 32']);
  expect((await world.cli(['save', '--help'])).stdout.replace(/\s+/g, ' ')).toContain(
    'up to 32 small letters, digits and dashes, but not final, best, auto',
  );
  await refused(world, ['prune', 'latest', '--keep', 'x'], 64, ['--keep is "x"; accepted is a whole number from 1']);
  await refused(world, ['completion', 'tcsh'], 64, ['shell is "tcsh"; accepted are bash, zsh, fish']);
  await refused(world, ['service', 'start'], 64, ['action is "start"; accepted are install, status, remove']);
});

test('an attempt that there is not is told with those that there are', async () => {
  const world = new World();
  await world.addSession(A);
  await refused(world, ['logs', A, '--attempt', '7'], 66, ['has no attempt 7; there are 1 to 2', `show ${A}`]);
  await refused(world, ['logs', A, '--attempt', '0'], 66, ['has no attempt 0']);
  expect((await world.cli(['logs', A, '--attempt', '2'])).code).toBe(0);
});
