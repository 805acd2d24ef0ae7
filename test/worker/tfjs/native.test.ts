import { expect, test } from 'vitest';
import { mendUtil } from '../../../src/worker/tfjs/native.ts';

test('what Node 23 took out of util is put back, and what is there stays', () => {
  const util: Record<string, unknown> = {};
  mendUtil(util);
  const lost = util as Record<'isNullOrUndefined' | 'isArray', (value: unknown) => boolean>;
  expect([null, undefined, 0, ''].map(lost.isNullOrUndefined)).toEqual([true, true, false, false]);
  expect(lost.isArray([])).toBe(true);
  const own = () => true;
  const whole = { isNullOrUndefined: own, isArray: own };
  mendUtil(whole);
  expect(whole).toEqual({ isNullOrUndefined: own, isArray: own });
});
