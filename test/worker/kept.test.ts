import { expect, test } from 'vitest';
import { assertKeepable, putBackInPlace } from '../../src/worker/kept.ts';

test('contents change in place for every sort of object', () => {
  const object = { seen: 1, gone: true };
  putBackInPlace('a', object, { seen: 5, best: -Infinity });
  expect(object).toEqual({ seen: 5, best: -Infinity });
  const list = [1, 2, 3];
  putBackInPlace('b', list, [9]);
  expect(list).toEqual([9]);
  const map = new Map([['x', 1]]);
  putBackInPlace('c', map, new Map([['y', 2]]));
  expect([...map]).toEqual([['y', 2]]);
  const set = new Set([1]);
  putBackInPlace('d', set, new Set([2, 3]));
  expect([...set]).toEqual([2, 3]);
  const numbers = new Float32Array(2);
  putBackInPlace('e', numbers, new Float32Array([1, 2]));
  expect([...numbers]).toEqual([1, 2]);
});

test.each([
  [{}, []],
  [[], {}],
  [new Map(), {}],
  [new Float32Array(2), new Float64Array(1)],
  [new Float32Array(2), new Float32Array(3)],
  [{}, null],
])('another sort than was saved is refused: %#', (target, saved) => {
  expect(() => putBackInPlace('meter', target, saved)).toThrow(
    expect.objectContaining({ code: 'state-mismatch', message: expect.stringContaining('meter') }),
  );
});

test('what cannot be put back is refused when it is kept', () => {
  class Meter {
    seen = 0;
  }
  for (const value of [new Meter(), () => 1, 5, null, new Date()]) {
    expect(() => assertKeepable('meter', value)).toThrow(expect.objectContaining({ code: 'state-not-serializable' }));
  }
  expect(() => assertKeepable('meter', Object.create(null))).not.toThrow();
});
