import { expect, test } from 'vitest';
import { bootIdOfTime, currentBootId, isSameBoot } from '../../src/checkpoint/boot-identity.ts';
import { relationOf } from '../../src/checkpoint/process-identity.ts';

const EARLY = bootIdOfTime(1_763_900_000_000);
const LATER = bootIdOfTime(1_763_900_600_000);

test("the kernel's own ids are compared as they are", () => {
  expect(isSameBoot('a', 'a')).toBe(true);
  expect(isSameBoot('a', 'b')).toBe(false);
  expect(isSameBoot('a', null)).toBe(false);
  expect(isSameBoot(currentBootId(), currentBootId())).toBe(true);
});

test('boots known by their time are one as long as the clock was only corrected', () => {
  expect(isSameBoot(EARLY, bootIdOfTime(1_763_900_090_000))).toBe(true);
  expect(isSameBoot(EARLY, LATER)).toBe(false);
  expect(isSameBoot(EARLY, 'a')).toBe(false);
});

test('two machines that were switched on together are not one', () => {
  const place = { bootId: EARLY, machineId: null, pidNamespace: null, host: 'one' };
  expect(relationOf(place, place)).toBe('here');
  expect(relationOf({ ...place, host: 'two' }, place)).toBe('elsewhere');
  expect(relationOf(place, { ...place, bootId: LATER })).toBe('rebooted');
  expect(relationOf({ ...place, host: 'two' }, { ...place, bootId: LATER })).toBe('elsewhere');
  expect(relationOf({ ...place, machineId: 'a' }, { ...place, machineId: 'b' })).toBe('elsewhere');
});

test('without a machine id nobody can say that a kernel is a later one of the same machine', () => {
  const place = { bootId: 'a', machineId: null, pidNamespace: null, host: 'one' };
  expect(relationOf(place, { ...place, bootId: 'b' })).toBe('elsewhere');
});
