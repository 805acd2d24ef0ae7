import { expect, it } from 'vitest';
import { FIELD_KEYS } from '../../../src/gpu/fields.ts';
import type { GpuSample, GpuValues } from '../../../src/gpu/sample.ts';
import { Downsampling, type SampleRow } from '../../../src/supervisor/samples/downsampling.ts';
import { SampleRecorder } from '../../../src/supervisor/samples/sample-recorder.ts';

function values(over: Partial<GpuValues>): GpuValues {
  return { ...(Object.fromEntries(FIELD_KEYS.map((key) => [key, null])) as unknown as GpuValues), ...over };
}

it('averages over a second, ten seconds and a minute, and keeps the hottest moment', () => {
  const downsampling = new Downsampling();
  const rows: SampleRow[] = [];
  for (let second = 0; second <= 120; second += 1) {
    const shown = values({ index: 0, temperatureC: 50 + (second % 10), utilizationPercent: second < 60 ? 80 : null });
    rows.push(...downsampling.take('a', shown, 1_200 + second + 0.4));
  }
  const of = (seconds: number): SampleRow[] => rows.filter((row) => row.seconds === seconds);
  expect([of(1).length, of(10).length, of(60).length]).toEqual([120, 12, 2]);
  expect(of(10)[0]).toMatchObject({
    at: 1_200,
    temperatureC: 54.5,
    hottestC: 59,
    utilizationPercent: 80,
    powerW: null,
  });
  // What the card did not tell is not 0.
  expect(of(60).map(({ at, utilizationPercent }) => [at, utilizationPercent])).toEqual([
    [1_200, 80],
    [1_260, null],
  ]);
  expect(downsampling.finish().map(({ seconds, at }) => [seconds, at])).toEqual([
    [1, 1_320],
    [10, 1_320],
    [60, 1_320],
  ]);
  expect(downsampling.finish()).toEqual([]);
});

it('keeps cards apart', () => {
  const downsampling = new Downsampling();
  downsampling.take('a', values({ temperatureC: 40 }), 10);
  downsampling.take('b', values({ temperatureC: 80 }), 10);
  const rows = downsampling.finish().filter(({ seconds }) => seconds === 1);
  expect(rows.map(({ card, temperatureC }) => [card, temperatureC])).toEqual([
    ['a', 40],
    ['b', 80],
  ]);
});

it('writes ten seconds at once, and looks once a minute for what is too old', () => {
  let ms = 0;
  const writes: { rows: number; nowSeconds: number | null }[] = [];
  const recorder = new SampleRecorder({
    write: (rows, nowSeconds) => writes.push({ rows: rows.length, nowSeconds }),
    now: () => new Date(1_200_000 + ms),
    nowMs: () => ms,
  });
  const sample: GpuSample = { atMs: 0, values: values({ uuid: 'GPU-1', temperatureC: 50 }), absent: {} };
  for (; ms <= 70_000; ms += 1_000) recorder.take(sample);
  expect(writes).toHaveLength(7);
  expect(writes[0]).toEqual({ rows: 11, nowSeconds: 1_210 });
  expect(writes.slice(1, 6).map(({ nowSeconds }) => nowSeconds)).toEqual([null, null, null, null, null]);
  expect(writes[6]?.nowSeconds).toBe(1_270);
  recorder.close();
  expect(writes).toHaveLength(8);
  expect(writes[7]?.rows).toBe(3);
});
