import { expect, test } from 'vitest';
import { ControlBlock } from '../../src/worker/control-block.ts';

test('both sides see the same words', () => {
  const loop = new ControlBlock();
  const thread = new ControlBlock(loop.buffer);
  expect(thread.beatAgeMs(5_000_000n)).toBe(0);
  loop.position(2 ** 40, 7);
  loop.beat(1_000_000n);
  loop.phase = 3;
  expect(thread.step).toBe(2 ** 40);
  expect(thread.epoch).toBe(7);
  expect(thread.phase).toBe(3);
  expect(thread.beatAgeMs(4_500_000n)).toBe(3.5);
  const before = loop.inbox;
  thread.announce();
  expect(loop.inbox).toBe(before + 1);
  // Already past: returns at once.
  loop.waitForInbox(before, 60_000);
});
