import { expect, it } from 'vitest';
import { type GpuSampleRow, KEPT_SECONDS } from '../../src/sessions/gpu-samples-table.ts';
import { openTestDatabase } from './open-test-database.ts';
import { sessionRow } from './rows.ts';

const ID = '20261122_120000_abcd';
const NOW = 1_800_000_000;

function sample(seconds: 1 | 10 | 60, at: number, changes: Partial<GpuSampleRow> = {}): GpuSampleRow {
  const figures = { temperatureC: 60, hottestC: 61, utilizationPercent: null, powerW: 200.5, memoryUsedMib: 5_000 };
  return { session: ID, card: 'GPU-1', seconds, at, cardIndex: 0, ...figures, ...changes };
}

it('gives the finest rows that reach back to the beginning, as they went in', async () => {
  const { database } = openTestDatabase();
  await database.write(({ sessions, gpuSamples }) => {
    sessions.upsert(sessionRow(ID));
    for (let second = 0; second < 120; second += 1) gpuSamples.record(sample(1, NOW + second));
    for (let second = 0; second < 120; second += 10) gpuSamples.record(sample(10, NOW + second));
    for (const second of [0, 60]) gpuSamples.record(sample(60, NOW + second));
  });
  expect(database.gpuSamples.ofSession(ID)).toHaveLength(120);
  expect(database.gpuSamples.ofSession(ID)[0]).toEqual(sample(1, NOW));
  // The hour of the seconds is over: ten seconds reach further back.
  await database.write(({ gpuSamples }) => gpuSamples.prune(NOW + 90 + KEPT_SECONDS[1]));
  expect(database.gpuSamples.ofSession(ID).map(({ seconds }) => seconds)).toEqual(Array.from({ length: 12 }, () => 10));
  await database.write(({ gpuSamples }) => gpuSamples.prune(NOW + 90 + KEPT_SECONDS[10]));
  expect(database.gpuSamples.ofSession(ID).map(({ seconds }) => seconds)).toEqual([60, 60]);
  await database.write(({ gpuSamples }) => gpuSamples.prune(NOW + 61 + KEPT_SECONDS[60]));
  expect(database.gpuSamples.ofSession(ID)).toEqual([]);
});

it('takes a second row of the same time for the first, and goes with its session', async () => {
  const { database } = openTestDatabase();
  await database.write(({ sessions, gpuSamples }) => {
    sessions.upsert(sessionRow(ID));
    gpuSamples.record(sample(1, NOW));
    gpuSamples.record(sample(1, NOW, { temperatureC: 70 }));
  });
  expect(database.gpuSamples.ofSession(ID)).toEqual([sample(1, NOW, { temperatureC: 70 })]);
  await database.write(({ sessions }) => sessions.remove(ID));
  expect(database.gpuSamples.ofSession(ID)).toEqual([]);
});
