import { expect, it } from 'vitest';
import { readHeader } from '../../../src/gpu/header.ts';
import { type GpuSample, readRow } from '../../../src/gpu/sample.ts';
import { readingsOf } from '../../../src/supervisor/snapshots/readings.ts';

const HEADER = readHeader('index, uuid, name, temperature.gpu, utilization.gpu [%]');

function row(atMs: number, index: number, temperature: string, load = '90'): GpuSample {
  if (HEADER === null) throw new Error('no header');
  const sample = readRow(HEADER, `${index}, GPU-${index}, RTX, ${temperature}, ${load}`, atMs);
  if (sample === null) throw new Error('no row');
  return sample;
}

it('says once what stayed the same, and in columns what changed, of each card apart', () => {
  const rows = [row(1_000, 0, '60'), row(1_000, 1, '50'), row(2_000, 0, '61'), row(2_000, 1, '[GPU is lost]')];
  const [first, second] = readingsOf(rows, 4_500);
  expect(first).toMatchObject({
    card: 'GPU-0',
    newest: { temperatureC: 61, utilizationPercent: 90, name: 'RTX' },
    columns: ['secondsBefore', 'temperatureC'],
    rows: [
      [3.5, 60],
      [2.5, 61],
    ],
    leftOut: 0,
  });
  expect(second).toMatchObject({
    card: 'GPU-1',
    absent: { temperatureC: 'lost' },
    rows: [
      [3.5, 50],
      [2.5, null],
    ],
  });
});

it('stays small on a machine with very many cards, and keeps the newest row of each', () => {
  const rows = Array.from({ length: 40 }, (_, second) =>
    Array.from({ length: 64 }, (_, index) => row(second * 1_000, index, String(second))),
  ).flat();
  const readings = readingsOf(rows, 39_000);
  expect(readings).toHaveLength(64);
  expect(readings.flatMap((card) => card.rows).length).toBeLessThanOrEqual(2_000);
  for (const card of readings) {
    expect(card.rows.at(-1)).toEqual([0, 39]);
    expect(card.leftOut).toBe(40 - card.rows.length);
  }
  expect(JSON.stringify(readings).length).toBeLessThan(512 * 1024);
});

it('is empty where nothing was read', () => {
  expect(readingsOf([], 1_000)).toEqual([]);
});
