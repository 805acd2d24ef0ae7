import { expect, test } from 'vitest';
import { aboutAge, aboutDuration, aboutNumber, count } from '../../../src/cli/render/quantities.ts';
import { aboutBytes } from '../../../src/units.ts';

test('durations show two units at most and round sensibly at the borders', () => {
  const shown = [0, 140, 999, 4_200, 9_960, 59_600, 185_000, 3_600_000, 7_800_000, 273_600_000].map(aboutDuration);
  expect(shown).toEqual([
    '0 ms',
    '140 ms',
    '1 s',
    '4.2 s',
    '10 s',
    '1 min',
    '3 min 5 s',
    '1 h',
    '2 h 10 min',
    '3 d 4 h',
  ]);
  expect(aboutDuration(Number.NaN)).toBe('an unknown time');
});

test('ages show one unit, and a clock set back is no negative age', () => {
  expect([14_000, 200_000, 7_300_000, 500_000_000, -5].map(aboutAge)).toEqual(['14 s', '3 min', '2 h', '5 d', '0 s']);
});

test('sizes and numbers keep what matters', () => {
  expect([0, 812, 4_200_000, 1_300_000_000, 999_999].map(aboutBytes)).toEqual([
    '0 B',
    '812 B',
    '4.2 MB',
    '1.3 GB',
    '1.0 MB',
  ]);
  expect([0, 3, 0.123456, 1234.567, 0.00001234].map(aboutNumber)).toEqual(['0', '3', '0.1235', '1235', '1.23e-5']);
  expect([count(1, 'step'), count(0, 'step'), count(2, 'try', 'tries')]).toEqual(['1 step', '0 steps', '2 tries']);
});
