import { expect, test } from 'vitest';
import { Throttle } from '../../src/worker/throttle.ts';

const order = (share: number, leaseMs = 30_000) => ({ share, leaseMs, reason: 'GPU 0: 82 C > 80 C' });

/** Steps of `stepMs`, resting as it is told, for so long. @returns share of the time that it rested */
function train(throttle: Throttle, stepMs: number, forMs: number): number {
  let nowMs = 0;
  let restedMs = 0;
  throttle.goesOn(nowMs);
  while (nowMs < forMs) {
    nowMs += stepMs;
    throttle.stepMade(nowMs);
    const restMs = throttle.restMs(nowMs);
    nowMs += restMs;
    restedMs += restMs;
    throttle.rested(restMs);
    if (restMs > 0) throttle.goesOn(nowMs);
  }
  return restedMs / nowMs;
}

test.each([
  [0.5, 1],
  [0.5, 100],
  [0.2, 7],
  [0.9, 300],
])('it rests %d of the time, whatever a step takes: %d ms', (share, stepMs) => {
  const throttle = new Throttle();
  throttle.order(order(share, Number.POSITIVE_INFINITY), 0);
  expect(train(throttle, stepMs, 60_000)).toBeCloseTo(share, 1);
});

test('rests are in pieces that a timer can keep', () => {
  const throttle = new Throttle();
  throttle.order(order(0.5), 0);
  throttle.stepMade(19);
  expect(throttle.restMs(19)).toBe(0);
  throttle.stepMade(20);
  expect(throttle.restMs(20)).toBe(20);
});

test('a share of 1 is to stand still until told otherwise', () => {
  const throttle = new Throttle();
  throttle.order(order(1), 0);
  expect(throttle.standing(29_999)).toEqual({ reason: 'GPU 0: 82 C > 80 C' });
  throttle.order(order(0), 29_999);
  expect(throttle.standing(29_999)).toBeNull();
  expect(throttle.isOrdered).toBe(false);
});

test('nothing is heard any more: the lease ends, and with it what was owed', () => {
  const throttle = new Throttle();
  throttle.order(order(0.9), 0);
  throttle.stepMade(10_000);
  expect(throttle.restMs(10_000)).toBe(30_000);
  expect(throttle.restMs(30_000)).toBe(0);
  expect(throttle.isOrdered).toBe(false);
});
