/** A program that reads the events slower than they come. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { World } from './rig.ts';

const LINES = 150_000;

test('--json on a pipe that is not read for a while: every line of the worker comes', async () => {
  const world = new World();
  onTestFinished(() => world.close());
  const go = join(world.directory, 'go');
  const script = `seq 1 ${LINES}; while [ ! -e ${go} ]; do sleep 0.1; done`;
  const run = world.start(['run', '--json', '--', 'sh', '-c', script]);
  const opened = await run.event('session-opened');
  run.child.stdout?.pause();
  const output = join(world.home, 'logs', opened.session, 'attempt-1.stdout');
  const bytes = Array.from({ length: LINES }, (_, index) => String(index + 1).length + 1).reduce((a, b) => a + b);
  await world.until(() => existsSync(output) && statSync(output).size === bytes);
  // All was said, and nothing of it was read for this long.
  await run.quiet(1_500);
  expect(run.named('output').length).toBeLessThan(LINES);
  run.child.stdout?.resume();
  await run.event('output', ({ line }) => line === String(LINES));
  writeFileSync(go, '');
  await run.ended(0);
  expect(run.outputLines()).toEqual(Array.from({ length: LINES }, (_, index) => String(index + 1)));
});
