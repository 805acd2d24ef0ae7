/** A damaged checkpoint is never loaded and never deleted; the run falls back and says so. */
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { testInWorld, type World } from './rig.ts';

const SAVES = ['--save-every-steps', '10'];

interface Interrupted {
  readonly directory: string;
  /** Names of the checkpoints, newest first. */
  readonly names: readonly string[];
}

/** A session that was stopped with several checkpoints. */
async function interrupted(world: World): Promise<Interrupted> {
  const run = world.run(world.endless(), SAVES);
  await run.event('saved', () => true, 2);
  run.signal('SIGINT');
  await run.ended(75);
  const { directory } = await run.event('session-opened');
  return { directory, names: checkpointsIn(directory) };
}

function checkpointsIn(directory: string): string[] {
  const sequence = (name: string): number => Number(name.split('_').at(-1));
  return readdirSync(directory)
    .filter((name) => name.startsWith('checkpoint_'))
    .sort((a, b) => sequence(b) - sequence(a));
}

/** @param offset of the byte, from the end where negative; one outside the file would make it longer, another damage */
function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  const byte = bytes.at(offset);
  if (byte === undefined) throw new RangeError(`${path} has ${bytes.length} bytes, none at ${offset}`);
  const position = offset < 0 ? bytes.length + offset : offset;
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.from([byte ^ 1]), 0, 1, position);
  closeSync(fd);
}

const TENSORS = 'tensors.safetensors';
const DAMAGES: Readonly<Record<string, (newest: string, older: string) => void>> = {
  'a flipped byte in the tensors': (newest) => flip(join(newest, TENSORS), -100),
  'a flipped byte in the state': (newest) => flip(join(newest, 'state.json'), 5),
  'a flipped byte in the manifest': (newest) => flip(join(newest, 'manifest.json'), 40),
  'a truncation': (newest) => truncateSync(join(newest, TENSORS), 100),
  'an extension': (newest) => writeFileSync(join(newest, TENSORS), 'x', { flag: 'a' }),
  'a missing file': (newest) => rmSync(join(newest, 'state.json')),
  'swapped files': (newest, older) => {
    renameSync(join(newest, TENSORS), join(newest, 'aside'));
    writeFileSync(join(newest, TENSORS), readFileSync(join(older, TENSORS)));
    rmSync(join(newest, 'aside'));
  },
  'an empty manifest': (newest) => truncateSync(join(newest, 'manifest.json'), 0),
  'a manifest of another session': (newest) => {
    const path = join(newest, 'manifest.json');
    const text = readFileSync(path, 'utf8');
    const session = JSON.parse(text).session as string;
    writeFileSync(path, text.replaceAll(session, session.replace(/....$/, 'zzzz')));
  },
  'a header that lies about its length': (newest) => {
    const fd = openSync(join(newest, TENSORS), 'r+');
    writeSync(fd, Buffer.from([255, 255, 255, 255, 255, 255, 31, 0]), 0, 8, 0);
    closeSync(fd);
  },
  'a symbolic link in place of a file': (newest) => {
    renameSync(join(newest, 'state.json'), join(newest, '..', 'elsewhere.json'));
    symlinkSync('../elsewhere.json', join(newest, 'state.json'));
  },
};

testInWorld.concurrent.for(Object.entries(DAMAGES))(
  '%s: falls back, quarantines, explains',
  async ([, damage], { world }) => {
    const { directory, names } = await interrupted(world);
    const [newest = '', older = ''] = names;
    damage(join(directory, newest), join(directory, older));

    const before = (await world.query(['explain', 'latest'])) as {
      candidates: { verdict: string }[];
      stepsLost: number;
    };
    expect(before.candidates.map(({ verdict }) => verdict).slice(0, 2)).toEqual(['damaged', 'chosen']);
    expect(before.stepsLost).toBeGreaterThan(0);
    expect(checkpointsIn(directory)).toEqual(names);

    const run = world.run(world.endless(), SAVES);
    const quarantined = await run.event('checkpoint-quarantined');
    expect(readdirSync(quarantined.to).length).toBeGreaterThan(0);
    expect(quarantined.reason).not.toContain('quarantined');
    expect((await run.event('training-started')).sequence).toBe(Number(older.split('_').at(-1)));
    run.signal('SIGINT');
    await run.ended(75);
  },
);

testInWorld.concurrent('all damaged, backups too: exit 65, nothing deleted, again and again', async ({ world }) => {
  const { directory, names } = await interrupted(world);
  const backups = join(world.home, 'backups');
  for (const name of names) truncateSync(join(directory, name, TENSORS), 50);
  for (const session of readdirSync(backups)) {
    for (const name of readdirSync(join(backups, session)).filter((entry) => /^best_\d/.test(entry))) {
      truncateSync(join(backups, session, name, TENSORS), 50);
    }
  }
  const run = world.run(world.endless(), SAVES);
  await run.ended(65);
  expect(run.named('attempt-started')).toEqual([]);
  const again = world.run(world.endless(), SAVES);
  await again.ended(65);
  const kept = [...checkpointsIn(directory), ...readdirSync(join(directory, '.quarantine'))];
  for (const name of names) expect(kept.some((entry) => entry.startsWith(name))).toBe(true);
});

testInWorld.concurrent('verify names what is damaged and changes nothing: exit 65', async ({ world }) => {
  const { directory, names } = await interrupted(world);
  flip(join(directory, names[0] ?? '', TENSORS), -100);
  const verify = world.start(['verify', 'latest', '--json']);
  await verify.ended(65);
  const { damaged } = JSON.parse(verify.stdout) as { damaged: { file: string; tensors: string[] }[] };
  expect(damaged[0]).toMatchObject({ file: TENSORS });
  expect(damaged[0]?.tensors.length).toBeGreaterThan(0);
  expect(checkpointsIn(directory)).toEqual(names);
});

testInWorld.concurrent(
  'session.json and database lost, checkpoints there: exit 65, no fresh start beside them',
  async ({ world }) => {
    const { directory, names } = await interrupted(world);
    truncateSync(join(directory, 'session.json'), 0);
    for (const name of readdirSync(world.home).filter((entry) => entry.startsWith('sessions.db'))) {
      rmSync(join(world.home, name));
    }
    const run = world.run(world.endless(), SAVES);
    await run.ended(65);
    expect(run.named('attempt-started')).toEqual([]);
    expect(checkpointsIn(directory)).toEqual(names);
  },
);

testInWorld.concurrent('the directory of a recorded session is missing: exit 74, no fresh start', async ({ world }) => {
  const { directory } = await interrupted(world);
  renameSync(directory, join(world.directory, 'unmounted'));
  const run = world.run(world.endless(), SAVES);
  await run.ended(74);
  expect(run.named('attempt-started')).toEqual([]);
});
