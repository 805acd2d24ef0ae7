/** Warnings reach the operator: as events, in the log, in the events table. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counter, World } from './rig.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

test('saves that are due faster than they can be written: told once, with cause and cure', async () => {
  const line = ['--epochs', '100000', '--step-ms', '1', '--size-mib', '24'];
  const run = world.run(counter(line), ['--save-every', '1ms', '--keep', '2']);
  const warning = await run.event('warning', ({ code }) => code === 'skipped-saves' || code === 'slow-save');
  expect(warning.hint).toContain('--save-every');
  await run.event('saved', () => true, run.named('saved').length + 3);
  run.signal('SIGINT');
  await run.ended(75);
  expect(run.named('warning').filter(({ code }) => code === warning.code)).toHaveLength(1);
  const log = readFileSync(run.named('session-opened')[0]?.log ?? '', 'utf8');
  expect(log).toContain(`"code":"${warning.code}"`);
});
