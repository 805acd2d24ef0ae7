import { expect, test } from 'vitest';
import { BoundedWait } from '../../src/supervisor/bounded-wait.ts';

test('time in which we ourselves did not run is no wait', async () => {
  const wait = new BoundedWait(1_400);
  const polled = wait.poll();
  // As SIGSTOP does, and a machine that is suspended.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
  await polled;
  expect(wait.isOver).toBe(false);
  expect(wait.waitedMs).toBeGreaterThan(0);
});

test('what was waited adds up to the bound', async () => {
  const wait = new BoundedWait(50);
  expect(wait.isOver).toBe(false);
  while (!wait.isOver) await wait.poll();
  expect(wait.waitedMs).toBeGreaterThanOrEqual(50);
});
