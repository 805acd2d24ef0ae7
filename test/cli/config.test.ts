/** `config` and the configuration file on the real command line; that `run` uses what `config` shows. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { SETTING_KEYS } from '../../src/config/definitions.ts';
import { World } from './world.ts';

interface Shown {
  readonly file: string | null;
  readonly files: readonly string[];
  readonly passedOver: readonly string[];
  readonly profile: string | null;
  readonly warnings: readonly object[];
  readonly settings: readonly ShownSetting[];
}

interface ShownSetting {
  readonly key: string;
  readonly value: unknown;
  readonly layer: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly overridden: readonly { readonly layer: string; readonly text: string }[];
}

class ConfigWorld extends World {
  write(name: string, text: string): this {
    const path = join(this.directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return this;
  }

  async shown(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Shown> {
    const { stdout, stderr, code } = await this.cli(['config', '--json', ...args], environment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Shown;
  }
}

function setting(shown: Shown, key: string): ShownSetting {
  const found = shown.settings.find((entry) => entry.key === key);
  if (found === undefined) throw new Error(`no ${key}`);
  return found;
}

/** Ends at once, having shown what it was told. */
const TRAINER = "console.log('checkpoints in ' + process.env.NKAT_CHECKPOINT_DIR);\n";

test('each setting is shown with its value, its layer, its file and its line, and what it overrides', async () => {
  const world = new ConfigWorld().write('train.mjs', TRAINER);
  world
    .write('base.yaml', 'keep: 1\ngrace: 2m\n')
    .write(
      'nkat-recover.yaml',
      'extends: base.yaml\ncheckpoint:\n  max_keep: 2\n  interval: 30\nprofiles:\n  night:\n    keep: 3\n',
    );
  const file = join(world.directory, 'nkat-recover.yaml');
  const shown = await world.shown(['--keep', '5', 'train.mjs'], { NKAT_KEEP: '4', NKAT_PROFILE: 'night' });
  expect(shown.settings.map(({ key }) => key)).toEqual([...SETTING_KEYS]);
  expect(shown).toMatchObject({ file, files: [join(world.directory, 'base.yaml'), file], profile: 'night' });
  expect(setting(shown, 'keep')).toMatchObject({
    value: 5,
    layer: 'flags',
    where: '--keep',
    line: null,
    overridden: [
      { layer: 'environment', where: 'NKAT_KEEP', text: '4' },
      { layer: 'file', file, line: 7, column: 5, profile: 'night', text: '3' },
      { layer: 'file', file, line: 3, column: 3, profile: null, text: '2' },
      { layer: 'file', line: 1, text: '1' },
      { layer: 'default', text: '5' },
    ],
  });
  expect(setting(shown, 'saveEvery')).toMatchObject({ value: 30_000, layer: 'file', where: 'interval', line: 4 });
  expect(setting(shown, 'backoff')).toMatchObject({ value: 5_000, layer: 'default', file: null, overridden: [] });
  const { stdout } = await world.cli(['config', '--profile', 'night', 'train.mjs']);
  expect(stdout).toMatch(/^Configuration: nkat-recover\.yaml, profile night\n {2}extends base\.yaml\n/);
  expect(stdout).toMatch(/^keep +3 +nkat-recover\.yaml:7, profile night$/m);
  expect(stdout).toMatch(/^grace +2m +base\.yaml:2$/m);
  expect(stdout).toMatch(/^backoff +5s +default$/m);
  expect(stdout).not.toContain('overridden');
  const all = await world.cli(['config', '--all', 'train.mjs']);
  expect(all.stdout).toMatch(
    /^keep +2 +nkat-recover\.yaml:3\n {2}overridden +1 +base\.yaml:1\n {2}overridden +5 +default$/m,
  );
});

test('run, run again and resume take the file of the trainer, wherever they are typed', async () => {
  const world = new ConfigWorld().write('p/t/train.mjs', TRAINER).write('p/package.json', '{}');
  world.write('p/nkat-recover.yaml', 'dir: runs\n').write('elsewhere/x', '');
  const root = join(world.directory, 'p/runs');
  expect(setting(await world.shown(['p/t/train.mjs']), 'dir').value).toBe(root);
  const run = await world.cli(['run', 'p/t/train.mjs']);
  expect(run.stdout).toContain(`checkpoints in ${root}/`);
  const resumed = await world.shell('cd elsewhere && $NKAT resume latest -- 2 && cd .. && $NKAT config p/t/train.mjs');
  expect(resumed.stdout).toContain(`checkpoints in ${root}/`);
  world.write('p/nkat-recover.yaml', 'kep: 3\n');
  const wrong = 'p/nkat-recover.yaml:1:1: unknown key "kep"; did you mean keep?';
  for (const line of ['run p/t/train.mjs', 'resume latest -- 3', 'config p/t/train.mjs', 'run -- node p/t/train.mjs']) {
    const refused = await world.shell(`$NKAT ${line}`);
    expect(refused).toMatchObject({ code: 78, stderr: expect.stringContaining(wrong) });
    expect(refused.stderr).toContain('--no-config');
  }
  expect((await world.cli(['run', '--no-config', 'p/t/train.mjs'])).code).toBe(0);
});

test('--config names another file, NKAT_CONFIG too, and --no-config none', async () => {
  const world = new ConfigWorld().write('nkat-recover.yaml', 'keep: 2').write('other.json', '{"keep": 3}');
  const keep = async (args: string[], environment: Record<string, string> = {}): Promise<unknown> =>
    setting(await world.shown(args, environment), 'keep').value;
  expect(await keep([])).toBe(2);
  expect(await keep(['--config', 'other.json'])).toBe(3);
  expect(await keep([], { NKAT_CONFIG: 'other.json' })).toBe(3);
  expect(await keep([], { NKAT_CONFIG: '' })).toBe(2);
  expect(await keep(['--config', 'nkat-recover.yaml'], { NKAT_CONFIG: 'other.json' })).toBe(2);
  expect(await keep(['--no-config'], { NKAT_CONFIG: 'other.json', NKAT_PROFILE: 'x' })).toBe(5);
  const missing = await world.cli(['config', '--config', 'nowhere.yaml']);
  expect(missing).toMatchObject({ code: 78, stderr: expect.stringContaining('Check the path in --config.') });
  const both = await world.cli(['config', '--no-config', '--profile', 'x']);
  expect(both).toMatchObject({ code: 64, stderr: expect.stringContaining('--no-config excludes') });
  const none = await new ConfigWorld().cli(['config', '--profile', 'x']);
  expect(none).toMatchObject({ code: 78, stderr: expect.stringContaining('there is no file') });
});

test('a variable that looks like a misspelt setting is told once, and the run goes on', async () => {
  const world = new ConfigWorld().write('train.mjs', TRAINER);
  const misspelt = { NKAT_SAVE_EVRY: '1m' };
  const words = 'NKAT_SAVE_EVRY is no setting and does nothing; did you mean NKAT_SAVE_EVERY?';
  const run = await world.cli(['run', '--quiet', 'train.mjs'], misspelt);
  expect(run.code).toBe(0);
  expect(run.stderr.split(words)).toHaveLength(2);
  expect((await world.cli(['config'], misspelt)).stderr).toBe(`${words}\n`);
  expect((await world.shown([], misspelt)).warnings).toEqual([
    { variable: 'NKAT_SAVE_EVRY', nearest: 'NKAT_SAVE_EVERY' },
  ]);
});

test('a file that does not count is told by config', async () => {
  const world = new ConfigWorld().write('nkat-recover.yaml', 'keep: 2').write('t/nkat-recover.yml', 'keep: 3');
  world.write('t/train.mjs', TRAINER);
  const { stdout } = await world.cli(['config', 't/train.mjs']);
  expect(stdout).toContain(
    'Configuration: t/nkat-recover.yml\n  passed over, since a nearer one counts: nkat-recover.yaml',
  );
  expect((await new ConfigWorld().cli(['config'])).stdout).toContain('No configuration file counts here.');
});
