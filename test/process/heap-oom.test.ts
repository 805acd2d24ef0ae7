/** V8 ends a trainer whose JavaScript heap is full: told as that, retried once, and helped by what the words name. */
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { COMMAND, testInWorld } from './rig.ts';

const HOARDER = fileURLToPath(new URL('../../fixtures/trainers/hoarder.mjs', import.meta.url));

testInWorld('a full heap of V8: its own class, one retry, and the option that helps does help', async ({ world }) => {
  const small = { NODE_OPTIONS: '--max-old-space-size=64' };
  const run = world.start(['run', '--json', '--save-every', 'off', HOARDER], COMMAND, small);
  await run.ended(1);
  const ends = run.named('worker-ended');
  expect(ends.map((event) => event.class)).toEqual(['heap-oom', 'heap-oom', 'heap-oom']);
  for (const { signal, reason, hint } of ends) {
    expect(signal).toBe('SIGABRT');
    expect(reason).toMatch(/heap was full at \d+ MB/);
    expect(hint).toContain('NODE_OPTIONS=--max-old-space-size=');
  }
  expect(run.named('session-ended')[0]?.reason).toContain('out of JavaScript heap again');
  const more = { NODE_OPTIONS: '--max-old-space-size=512' };
  const again = await world.start(['resume', 'latest', '--json'], COMMAND, more).ended(0);
  expect(again.named('training-started')[0]).toMatchObject({ step: 2 });
});
