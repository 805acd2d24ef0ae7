/** The command as a user meets it where nothing is installed, and where something is missing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { testInWorld as test } from '../process/rig.ts';

test.concurrent('nothing is installed: list says how to get it, check refuses, remove has nothing to do', async ({
  world,
}) => {
  expect(await world.query(['backend', 'list'])).toEqual({
    version: 1,
    backends: [],
    unreadable: [],
    unfinished: [],
    changedBy: null,
  });
  expect(await world.query(['backend', 'remove'])).toEqual({ version: 1, removed: [] });
  const check = world.start(['backend', 'check']);
  await check.ended(78);
  expect(check.stderr).toContain('nkat-recover backend install builds one');
});

test.concurrent('without Python it ends with 78, its code and the cure, before anything is fetched', async ({
  world,
}) => {
  const empty = join(world.directory, 'empty');
  mkdirSync(empty);
  const install = world.start(['backend', 'install', '--cpu', '--json'], undefined, { PATH: empty });
  await install.ended(78);
  expect(JSON.parse(install.stdout)).toMatchObject({
    error: { code: 'python-missing', hint: expect.stringContaining('apt-get install python3') },
  });
});

test.concurrent('what is no version and both flavours at once are wrong usage', async ({ world }) => {
  const version = world.start(['backend', 'install', '--tensorflow', 'newest']);
  await version.ended(64);
  expect(version.stderr).toContain('accepted is a version such as 2.21.0');
  await world.start(['backend', 'install', '--cpu', '--cuda12']).ended(64);
});

test.concurrent('remove takes only what was meant, unfinished ones too', async ({ world }) => {
  const folder = join(world.home, 'backends');
  for (const name of ['cpu-2.21.0-a', '.building-cpu-2.20.0', 'cuda12-2.21.0-b']) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'file'), 'x'.repeat(10));
  }
  const unreadable = ['cpu-2.21.0-a', 'cuda12-2.21.0-b'].map((name) => join(folder, name));
  expect(await world.query(['backend', 'list'])).toMatchObject({
    unreadable,
    unfinished: [{ folder: join(folder, '.building-cpu-2.20.0'), flavour: 'cpu', tensorflow: '2.20.0', bytes: 10 }],
    changedBy: null,
  });
  const list = world.start(['backend', 'list']);
  await list.ended(0);
  expect(list.stdout).toContain(
    `An installation of TensorFlow 2.20.0 (cpu) is unfinished, 10 B in ${join(folder, '.building-cpu-2.20.0')}: ` +
      'nkat-recover backend install --cpu --tensorflow 2.20.0 goes on, nkat-recover backend remove --cpu takes it away.',
  );
  expect(await world.query(['backend', 'remove', '--cpu'])).toEqual({
    version: 1,
    removed: ['.building-cpu-2.20.0', 'cpu-2.21.0-a'].map((name) => ({ folder: join(folder, name), bytes: 10 })),
  });
  expect(await world.query(['backend', 'remove'])).toMatchObject({
    removed: [{ folder: join(folder, 'cuda12-2.21.0-b') }],
  });
});
