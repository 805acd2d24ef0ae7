/** What may stand in a configuration file, and what is refused with its place. */
import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { FileWorld, refusalOf, settingsFrom } from './file-world.ts';

test('the names of the recovery manuals, in their group and at the top', async () => {
  const world = new FileWorld();
  world.write('nkat-recover.yaml', 'checkpoint:\n  interval: 300\n  max_keep: 3\n  backup_dir: best\n');
  expect(await world.settings()).toMatchObject({
    save: { every: 300_000 },
    keep: 3,
    backups: world.path('best'),
  });
  expect(await settingsFrom('interval: 5m\nmax-keep: 2\nbackupDir: /b\n')).toMatchObject({
    save: { every: 300_000 },
    keep: 2,
    backups: '/b',
  });
});

test.each(['saveEvery', 'save_every', 'save-every', 'interval'])('%s is one setting in every spelling', async (key) => {
  expect((await settingsFrom(`${key}: 90\n`)).save.every).toBe(90_000);
});

test('values of YAML mean what they say: numbers, switches, off, lists, other digits', async () => {
  const text = [
    'saveEvery: 1e2',
    'keep: 0x10',
    'saveOverhead: 2%',
    'keepBytes: 20GB',
    'best: val:accuracy:max',
    'requireGpu: true',
    'allowFresh: no',
    'restart:',
    '  maxRestarts: false',
    '  noRestartCodes: [2, 3]',
    '  backoff: 2s',
    'grace: auto',
    'dir: 007',
  ].join('\n');
  const settings = await settingsFrom(text);
  expect(settings).toMatchObject({
    save: { every: 100_000, overhead: 0.02 },
    keep: 16,
    maxBytes: 20e9,
    best: { metric: 'val:accuracy', mode: 'max' },
    requireGpu: true,
    allowFresh: false,
    maxRestarts: null,
    noRestartCodes: [2, 3],
    backoff: { initialMs: 2_000 },
    stop: { graceMs: null },
  });
  expect(settings.root).toMatch(/\/007$/);
  expect((await settingsFrom('noRestartCodes: []')).noRestartCodes).toEqual([]);
});

test('a home folder is meant by ~, and a relative path counts from its own file', async () => {
  expect((await settingsFrom('dir: ~/runs')).root).toBe(`${homedir()}/runs`);
  const world = new FileWorld().write('nkat-recover.yaml', 'extends: shared/base.yaml');
  world.write('shared/base.yaml', 'dir: runs');
  expect((await world.settings()).root).toBe(world.path('shared/runs'));
});

test('JSON is as good, with tabs and a byte order mark', async () => {
  const text = '\ufeff{\n\t"checkpoint": {\n\t\t"interval": 60,\n\t\t"max_keep": 4\n\t}\n}\n';
  expect(await settingsFrom(text)).toMatchObject({ save: { every: 60_000 }, keep: 4 });
});

test.each(['', '# nothing yet\n', '---\n', 'checkpoint:\n', 'profiles:\n', '{}'])('%j says nothing', async (text) => {
  expect((await settingsFrom(text)).keep).toBe(5);
});

test.each([
  ['keep: many', '1:7: keep is "many"; accepted is a whole number from 1'],
  ['\n\ncheckpoint:\n  max_keep: 0', '4:13: max_keep is 0; accepted is'],
  ['keep:', '1:1: keep has no value; accepted is'],
  ['keep: null', 'keep has no value'],
  ['keep: [1]', '1:7: keep is the list [1]'],
  ['noRestartCodes: [2, x]', 'noRestartCodes is the list [2, "x"]; accepted'],
  [`noRestartCodes: [${'300, '.repeat(40)}]`, 'noRestartCodes is a list; accepted'],
  ['keep: {a: 1}', 'keep is a group of keys'],
  ['keep: true', 'keep is true'],
  ['dir: true', 'dir is true; accepted is a folder'],
  ['dir: "a\\0b"', 'accepted is a folder'],
  [
    'noRestartCodes: [2, 300]',
    'noRestartCodes is the list [2, 300]; accepted is exit codes from 1 to 255 such as 2,3, or off, or a list',
  ],
  ['noRestartCodes: [[2]]', 'noRestartCodes is a list'],
  ['saveOverhead: 0.5', 'saveOverhead is 0.5; accepted is a share such as 0.5%'],
  ['keep: 2026-01-01', 'keep is "2026-01-01"'],
])('a wrong value in %j is refused with its place', async (text, words) => {
  expect(await refusalOf(text)).toContain(
    words.startsWith('1:') || /^\d/.test(words) ? `nkat-recover.yaml:${words}` : words,
  );
});

test.each([
  ['maxRestart: 3', '1:1: unknown key "maxRestart"; did you mean maxRestarts?'],
  ['max_keeep: 3', 'did you mean max_keep?'],
  ['checkpoint:\n  intervall: 3', '2:3: unknown key "intervall"; did you mean interval?'],
  ['checkpont:\n  keep: 3', 'did you mean checkpoint?'],
  ['profile:\n  a: {}', 'did you mean profiles?'],
  ['NKAT_KEEP: 3', 'unknown key "NKAT_KEEP"; known are extends, profiles, checkpoint, restart, gpu, dir'],
  ['wholly: different', 'known are'],
  ['<<: {keep: 3}', 'unknown key "<<"'],
  ['1: 2', 'unknown key "1"'],
  ['profiles: {night: {kep: 3}}', '1:20: unknown key "kep"; did you mean keep?'],
  ['checkpoint: {maxRestarts: 3}', 'maxRestarts does not belong under checkpoint'],
  ['checkpoint: {profiles: {}}', 'unknown key "profiles"'],
])('an unknown key in %j is refused, with the nearest one', async (text, words) => {
  expect(await refusalOf(text)).toContain(words);
});

test.each([
  ['keep: 3\nkeep: 4', '2:1: keep is written twice: already in line 1, as keep'],
  ['keep: 3\ncheckpoint:\n  max_keep: 4', '3:3: max_keep is written twice: already in line 1, as keep'],
  ['checkpoint: {}\ncheckpoint: {}', '2:1: checkpoint is written twice'],
  ['extends: a\nextends: b', '2:1: extends is written twice'],
  ['profiles: {}\nprofiles: {}', '2:1: profiles is written twice'],
  ['profiles: {a: {}, a: {}}', 'profile "a" is written twice'],
])('what stands twice in %j is refused', async (text, words) => {
  expect(await refusalOf(text)).toContain(words);
});

test.each([
  ['keep: 3\n\tdir: a', '2:1: a tab indents this line'],
  ['best: accuracy: max', '1:7: a second colon in this line'],
  ['keep: 1\n---\nkeep: 2', '2:1: a second document'],
  ['keep: *a', '1:7: '],
  ['keep: &a 3\ndir: *a', '2:6: aliases'],
  ['keep: !!js/function "x"', '1:7: tags'],
  ['dir: "open', 'quote'],
  ['- keep', '1:1: a configuration file is the list ["keep"]; accepted are lines of "key: value"'],
  ['just words', '1:1: a configuration file is "just words"'],
  [`a: ${'['.repeat(5_000)}`, 'nested too deeply'],
  ['a: [[[[[[[[1]]]]]]]]', 'nested too deeply'],
  ['? {a: 1}\n: 2', 'a key is a word'],
  ['profiles: [night]', 'profiles is the list ["night"]'],
  ['profiles: {night: 3}', 'profile "night" is 3'],
  ['extends: {a: 1}', 'extends is a group of keys'],
  ['extends: 5', 'extends is 5; accepted is a name'],
  ['extends: [a, true]', 'extends is true'],
])('words that are no file of ours are refused in ours: %#', async (text, words) => {
  expect(await refusalOf(text)).toContain(words);
});

test('all problems of a file are told at once, in its order, ten at most', async () => {
  const words = await refusalOf('keep: no\nmaxRestart: 1\ndir: [1]\n');
  expect(words.split(/\s*\n\s*/)).toEqual([
    '3 things in it are wrong',
    expect.stringContaining(':1:7: keep is "no"'),
    expect.stringContaining(':2:1: unknown key "maxRestart"'),
    expect.stringContaining(':3:6: dir is the list [1]'),
  ]);
  const many = Array.from({ length: 30 }, (_, index) => `zzz${index}: 1`).join('\n');
  expect(await refusalOf(many)).toMatch(/\n\s+and 20 more$/);
});
