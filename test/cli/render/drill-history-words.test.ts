import { expect, test } from 'vitest';
import { historyWords } from '../../../src/cli/render/drill-history-words.ts';
import { clockText } from '../../../src/cli/render/power-words.ts';
import type { DrillRow } from '../../../src/sessions/drills-table.ts';

const SESSION = '20261123_092726_mbmd';

function drill(at: string, ok: boolean): DrillRow {
  const problems = ok ? [] : ['it does not verify'];
  return {
    at,
    session: SESSION,
    ok,
    level: '3',
    replay: null,
    totalMs: 1_000,
    stepsLost: 0,
    injected: [],
    problems,
  } as unknown as DrillRow;
}

test.each([
  [[true], 'the last drill was good'],
  [[false, true, true], 'the last 2 drills were good'],
  [[true, true, false], 'NOT GOOD, the last drill; good until'],
  [[true, false, false], 'NOT GOOD, the last 2 drills; good until'],
])('where a session stands after %j', (results, words) => {
  const rows = results.map((ok) => drill('2026-11-23T11:30:00.000Z', ok));
  expect(historyWords(rows, null, (text) => text).at(-1)).toContain(`${SESSION}: ${words}`);
});

test('times are those of the clock on the wall, as in every other table, and no bare UTC', () => {
  // Two zones in which the day is another one, so that one of them differs from UTC whatever this machine's is.
  const zone = process.env.TZ;
  try {
    for (const [name, day] of [
      ['Pacific/Kiritimati', '2026-11-24 01:30:00'],
      ['Pacific/Pago_Pago', '2026-11-23 00:30:00'],
    ] as const) {
      process.env.TZ = name;
      const words = historyWords(
        [drill('2026-11-23T11:30:00.000Z', true), drill('2026-11-23T11:30:00.000Z', false)],
        null,
        (text) => text,
      );
      expect(words.slice(1, 3).every((text) => text.startsWith(day))).toBe(true);
      expect(words.at(-1)).toBe(`${SESSION}: NOT GOOD, the last drill; good until ${day.slice(0, 10)}`);
      expect(clockText('2026-11-23T11:30:00.000Z')).toBe(day);
    }
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});
