import { expect, it } from 'vitest';
import { cardCurves, curveJson, curveText } from '../../../src/cli/render/card-curves.ts';
import { sparkline } from '../../../src/cli/render/sparkline.ts';
import type { GpuSampleRow } from '../../../src/sessions/gpu-samples-table.ts';

function row(at: number, temperatureC: number | null, utilizationPercent: number | null, card = 'GPU-1'): GpuSampleRow {
  const hottestC = temperatureC === null ? null : temperatureC + 1;
  return {
    session: 's',
    card,
    seconds: 10,
    at,
    cardIndex: 0,
    temperatureC,
    hottestC,
    utilizationPercent,
    powerW: null,
    memoryUsedMib: null,
  };
}

it('draws a curve of as many columns as are asked, with holes where nothing was told', () => {
  const points = [0, 1, 2, 3, 4, 5, 6, 7].map((at) => ({ at, value: at * 10 }));
  expect(sparkline(points, 8, { low: 0, high: 70 })).toBe('▁▂▃▄▅▆▇█');
  expect(sparkline(points, 4, { low: 0, high: 70 })).toHaveLength(4);
  const hole = [0, 5, 10].map((at) => ({ at, value: at === 5 ? null : 100 }));
  expect(sparkline(hole, 3, { low: 0, high: 100 })).toBe('█ █');
  expect(sparkline([{ at: 0, value: 500 }], 8, { low: 0, high: 100 })).toBe('█');
  expect(sparkline([], 8, { low: 0, high: 1 })).toBe('');
});

it('shows temperature and load of each card in one line', () => {
  const rows = [row(1_000, 54, 90), row(1_010, 60, 80), row(1_020, 77, 100), row(1_000, null, null, 'GPU-2')];
  const [first, second] = cardCurves(rows);
  if (first === undefined || second === undefined) throw new Error('two cards');
  expect(curveText(first)).toBe('▁▃█ 54 to 78 C · ▇▇█ load 90 % (over 30 s)');
  expect(curveJson(first)).toEqual({
    card: 'GPU-1',
    index: 0,
    from: '1970-01-01T00:16:40.000Z',
    to: '1970-01-01T00:17:10.000Z',
    secondsPerSample: 10,
    temperatureC: { low: 54, mean: 63.7, high: 78 },
    utilizationPercent: { low: 80, mean: 90, high: 100 },
  });
  expect(curveJson(second)).toMatchObject({ temperatureC: null, utilizationPercent: null });
});
