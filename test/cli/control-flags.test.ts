import { expect, test } from 'vitest';
import { reasonOf } from '../../src/cli/control-flags.ts';

test('a reason is one line of some length, or none', () => {
  expect(reasonOf(undefined)).toBeNull();
  expect(reasonOf(' \n')).toBeNull();
  expect(reasonOf(' new\ndata\t tomorrow ')).toBe('new data tomorrow');
  expect(reasonOf('x'.repeat(300))).toBe('x'.repeat(300));
  expect(reasonOf('x'.repeat(100_000))).toBe(`${'x'.repeat(300)}...`);
});
