/** A program that reads the events slower than they come. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { World } from './rig.ts';

const LINES = 150_000;

test('--json on a pipe that is not read for a while: the log goes on, and every line of the worker comes', async () => {
  const world = new World();
  onTestFinished(() => world.close());
  const go = join(world.directory, 'go');
  const script = `seq 1 ${LINES}; while [ ! -e ${go} ]; do sleep 0.1; done`;
  const run = world.start(['run', '--json', '--', 'sh', '-c', script]);
  const opened = await run.event('session-opened');
  run.child.stdout?.pause();
  // All was said, and is in the log, while nothing of it is read.
  const last = `"msg":"${LINES}"`;
  await world.until(() => logText(join(world.home, 'logs', opened.session)).includes(last));
  expect(run.named('output').length).toBeLessThan(LINES);
  run.child.stdout?.resume();
  await run.event('output', ({ line }) => line === String(LINES));
  writeFileSync(go, '');
  await run.ended(0);
  expect(run.outputLines()).toEqual(Array.from({ length: LINES }, (_, index) => String(index + 1)));
});

/** The newest part, which begins anew when it is rotated away. */
function logText(directory: string): string {
  const path = join(directory, 'session.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
