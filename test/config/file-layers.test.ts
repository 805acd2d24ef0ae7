/** What a file extends, and profiles. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FileWorld } from './file-world.ts';

test('a file goes over its bases, the later base over the earlier', async () => {
  const world = new FileWorld()
    .write('nkat-recover.yaml', 'extends: [a.yaml, b.json]\nkeep: 3\n')
    .write('a.yaml', 'keep: 1\nmaxRestarts: 1\nbackoff: 1s\nextends: deep/c.yml\n')
    .write('b.json', '{"keep": 2, "maxRestarts": 2}')
    .write('deep/c.yml', 'grace: 7s\nbackoff: 9s\n');
  expect(await world.settings()).toMatchObject({
    keep: 3,
    maxRestarts: 2,
    backoff: { initialMs: 1_000 },
    stop: { graceMs: 7_000 },
  });
  const { files } = await world.layers();
  expect(files).toEqual(['deep/c.yml', 'a.yaml', 'b.json', 'nkat-recover.yaml'].map((name) => world.path(name)));
});

test('a base that two files share is read once', async () => {
  const world = new FileWorld().write('nkat-recover.yaml', 'extends: [a.yaml, b.yaml]');
  world.write('a.yaml', 'extends: c.yaml\nkeep: 2').write('b.yaml', 'extends: c.yaml').write('c.yaml', 'keep: 9');
  expect((await world.settings()).keep).toBe(2);
});

test('a circle of files is refused with its chain and the line that closes it', async () => {
  const world = new FileWorld().write('nkat-recover.yaml', 'extends: a.yaml').write('a.yaml', '\nextends: b.yaml');
  world.write('b.yaml', 'keep: 1\nextends: a.yaml');
  const { words, code } = await world.refusal();
  expect(code).toBe('configuration');
  expect(words).toContain('a.yaml extends b.yaml extends a.yaml (b.yaml:2:10)');
  const own = await new FileWorld().write('nkat-recover.yaml', 'extends: nkat-recover.yaml').refusal();
  expect(own.words).toContain('nkat-recover.yaml extends nkat-recover.yaml');
});

test('a circle through a link ends as well, and so does a chain without end', async () => {
  const world = new FileWorld().write('nkat-recover.yaml', 'extends: again.yaml');
  symlinkSync(world.main, world.path('again.yaml'));
  expect((await world.refusal()).words).toContain('cannot extend itself');
  const long = new FileWorld().write('nkat-recover.yaml', 'extends: f0.yaml');
  for (let index = 0; index < 70; index += 1) long.write(`f${index}.yaml`, `extends: f${index + 1}.yaml`);
  expect((await long.refusal()).words).toContain('more than 64 files');
});

test('a base that is missing, a folder, or wrong is named by the line that names it', async () => {
  const world = new FileWorld().write('nkat-recover.yaml', 'keep: 1\nextends: base.yaml\n');
  expect((await world.refusal()).words).toBe('there is no such file: base.yaml, named by nkat-recover.yaml:2:10');
  mkdirSync(world.path('base.yaml'));
  expect((await world.refusal()).words).toContain('it is a folder: base.yaml');
  const wrong = new FileWorld().write('nkat-recover.yaml', 'extends: base.yaml').write('base.yaml', '\nkeep: x');
  expect((await wrong.refusal()).words).toContain('base.yaml:2:7: keep is "x"');
});

test('a profile goes over the file, that of the file over that of its base', async () => {
  const world = new FileWorld()
    .write(
      'nkat-recover.yaml',
      'extends: base.yaml\nkeep: 3\nprofiles:\n  night: {keep: 4, extends: slow}\n  slow: {backoff: 1m, keep: 8}\n',
    )
    .write('base.yaml', 'profiles:\n  night: {keep: 5, grace: 9s}\n');
  expect((await world.settings()).keep).toBe(3);
  expect(await world.settings('night')).toMatchObject({
    keep: 4,
    stop: { graceMs: 9_000 },
    backoff: { initialMs: 60_000 },
  });
  expect((await world.settings('slow')).keep).toBe(8);
});

test('an unknown profile is refused with those that are known', async () => {
  const world = new FileWorld().write('nkat-recover.yaml', 'profiles: {night: {}, day: {extends: nigth}}');
  const unknown = await world.refusal('nihgt');
  expect(unknown.words).toContain('there is no profile "nihgt", named by --profile; did you mean night?');
  expect(unknown.hint).toBe('Known profiles: night, day.');
  expect((await world.refusal('day')).words).toContain('"nigth", named by nkat-recover.yaml:1:38');
  const none = await new FileWorld().write('nkat-recover.yaml', 'keep: 1').refusal('night');
  expect(none.hint).toBe('The file has no profiles.');
});

test('a circle of profiles is refused with its chain', async () => {
  const world = new FileWorld().write('nkat-recover.yaml', 'profiles: {a: {extends: b}, b: {extends: [a]}}');
  expect((await world.refusal('a')).words).toContain('a extends b extends a');
});

test('words of objects are no profiles and no keys', async () => {
  const world = new FileWorld().write('nkat-recover.yaml', 'keep: 1');
  for (const name of ['__proto__', 'constructor', 'toString']) {
    expect((await world.refusal(name)).words).toContain('there is no profile');
    const file = new FileWorld().write('nkat-recover.yaml', `${name}: 1`);
    expect((await file.refusal()).words).toContain('unknown key');
  }
});
