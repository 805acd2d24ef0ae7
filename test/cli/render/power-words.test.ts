import { expect, test } from 'vitest';
import { cutWords } from '../../../src/cli/render/power-words.ts';
import type { EventNamed } from '../../../src/supervisor/events.ts';

// Local times without a zone, so that the words are the same everywhere.
const CUT: EventNamed<'power-cut'> = {
  name: 'power-cut',
  attempt: 2,
  lastSeenAt: new Date('2026-11-23T03:12:05').toISOString(),
  bootedAt: new Date('2026-11-23T03:40:00').toISOString(),
  downMs: 30 * 60_000,
  inRow: 1,
  backForMs: null,
  waitMs: 0,
};

test('a cut is told with its times', () => {
  expect(cutWords(CUT).map(({ text }) => text)).toEqual([
    'The power was cut: last sign of life 2026-11-23 03:12:05, the machine came up at 2026-11-23 03:40:00; nothing trained for 30 min',
  ]);
});

test('one that came again says so, and times that nobody knows are not made up', () => {
  const again = cutWords({ ...CUT, bootedAt: null, downMs: null, inRow: 3, backForMs: 3 * 60_000 });
  expect(again.map(({ text }) => text)).toEqual([
    'The power was cut: last sign of life 2026-11-23 03:12:05; the clock does not tell for how long',
    'It was cut again 3 min after the last recovery, 3 times in a row: the power may still be bad. --power-settle says how long it has to hold.',
  ]);
  expect(again.every(({ weight }) => weight === 'always')).toBe(true);
});
