/** What is written about the configuration file is true. */
import { mkdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settingsMarkdown } from '../../src/config/settings-markdown.ts';
import { FileWorld } from './file-world.ts';

function textOf(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}

function exampleOf(name: string): string {
  const example = /```yaml\n([\s\S]*?)```/.exec(textOf(name))?.[1];
  if (example === undefined) throw new Error(`${name} has no example`);
  return example;
}

/** After a setting was added: `npx vitest run test/config/documentation.test.ts -u` writes the table anew. */
test('docs/configuration.md has every setting as it is', async () => {
  const table = `<!-- settings -->\n\n${settingsMarkdown()}\n\n<!-- /settings -->`;
  const text = textOf('docs/configuration.md');
  expect(text).toMatch(/<!-- settings -->[\s\S]*<!-- \/settings -->/);
  const updated = text.replace(/<!-- settings -->[\s\S]*<!-- \/settings -->/, () => table);
  await expect(updated).toMatchFileSnapshot('../../docs/configuration.md');
});

test.each(['docs/configuration.md', 'README.md'])(
  'the example of %s is accepted, and each profile of it',
  async (name) => {
    const world = new FileWorld();
    const text = exampleOf(name).replace('../shared/base.yaml', 'base.yaml');
    world.write('nkat-recover.yaml', text).write('base.yaml', 'keep: 9');
    mkdirSync(world.path('shared'));
    expect((await world.settings()).save.every).toBe(300_000);
    const profiles = [...text.slice(text.indexOf('profiles:')).matchAll(/^ {2}([\w-]+):/gm)].map(
      ([, profile]) => profile,
    );
    expect(profiles.length).toBeGreaterThan(0);
    for (const profile of profiles) expect((await world.settings(profile ?? '')).save.every).toBe(60_000);
  },
);
