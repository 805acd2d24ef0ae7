/** Trainers that have not connected: told once, in words that help, and left alone. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { testInWorld } from './rig.ts';

const SLOW_START = fileURLToPath(new URL('../../fixtures/trainers/slow-start.mjs', import.meta.url));
const IMPATIENT = ['--hang-after', '1s', '--phase-limit', '1s'];

testInWorld.concurrent(
  'a trainer that loads before it connects is told of once, not restarted, and its connection ends the warning',
  async ({ world }) => {
    const go = join(world.directory, 'go');
    const run = world.run([SLOW_START, '--await', go], IMPATIENT);
    const warning = await run.event('warning', ({ code }) => code === 'not-connected');
    expect(warning.message).toContain('connect()');
    expect(warning.hint).toContain('nkat-recover logs');
    // Past the next look.
    await run.quiet(6_000);
    writeFileSync(go, '');
    await run.ended(0);
    expect(run.named('warning').filter(({ code }) => code === 'not-connected')).toHaveLength(1);
    expect(run.named('attempt-started')).toHaveLength(1);
    expect(run.named('session-ended')[0]?.summary.lastCheckpoint).toMatchObject({ step: 2 });
  },
);

testInWorld.concurrent('a command without the SDK: told what that means, once over its restarts', async ({ world }) => {
  const go = join(world.directory, 'go');
  const script = `while [ ! -e ${go} ]; do sleep 0.1; done; [ -e ${go}2 ] || { touch ${go}2; rm ${go}; exit 9; }`;
  const run = world.start(['run', '--json', ...IMPATIENT, '--', 'sh', '-c', script]);
  const warning = await run.event('warning', ({ code }) => code === 'not-connected');
  expect(warning.message).toContain('SDK');
  // A plain script counts as started after 10 s; before that its code would be an error of the configuration.
  await run.quiet(10_500);
  writeFileSync(go, '');
  await run.event('attempt-started', () => true, 2);
  await run.quiet(6_000);
  writeFileSync(go, '');
  await run.ended(0);
  expect(run.named('warning').filter(({ code }) => code === 'not-connected')).toHaveLength(1);
});
