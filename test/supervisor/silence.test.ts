import { expect, test } from 'vitest';
import { silence } from '../../src/supervisor/silence.ts';

test('a channel that we are late to read is not silent, however late we are', async () => {
  const startedAt = performance.now();
  const isLate = () => performance.now() - startedAt < 3_000;
  let received = 0;
  await silence({
    isOpen: () => isLate() || received < 1,
    isBusy: isLate,
    received: () => (isLate() ? 0 : ++received),
  });
  expect(received).toBeGreaterThanOrEqual(1);
});

test('one whose messages still come is waited for, one that says nothing is given up', async () => {
  const startedAt = performance.now();
  const speaks = () => performance.now() - startedAt < 3_000;
  let received = 0;
  await silence({ isOpen: () => true, isBusy: () => false, received: () => (speaks() ? ++received : received) });
  expect(speaks()).toBe(false);
});
