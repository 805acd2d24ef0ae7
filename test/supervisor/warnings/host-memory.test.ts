import { expect, test } from 'vitest';
import {
  cgroupBound,
  judgeMemory,
  parseMeminfo,
  parseResidentBytes,
} from '../../../src/supervisor/warnings/host-memory.ts';
import { readMemoryBounds, readResidentBytes } from '../../../src/supervisor/warnings/memory-files.ts';

const GB = 1e9;
const host = (share: number) => ({ name: 'host', limitBytes: 32 * GB, usedBytes: 32 * GB * share }) as const;
const group = (share: number) => ({ name: 'cgroup', limitBytes: 8 * GB, usedBytes: 8 * GB * share }) as const;

test('what the system says', () => {
  expect(parseMeminfo('MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    250 kB\n')).toEqual({
    name: 'host',
    limitBytes: 1_024_000,
    usedBytes: 768_000,
  });
  expect(parseMeminfo('MemTotal: 1000 kB\n')).toBeNull();
  expect(parseResidentBytes('Name:\tnode\nVmRSS:\t  2048 kB\n')).toBe(2_097_152);
  expect(parseResidentBytes('')).toBeNull();
});

test('limits of both cgroup versions; none where there is none; a cache that can be given back does not count', () => {
  const stat = 'anon 5\ninactive_file 100\n';
  expect(cgroupBound('1000\n', '900\n', stat, 5_000)).toEqual({ name: 'cgroup', limitBytes: 1_000, usedBytes: 800 });
  expect(cgroupBound('max\n', '900\n', stat, 5_000)).toBeNull();
  expect(cgroupBound('9223372036854771712\n', '900\n', stat, 5_000)).toBeNull();
  expect(cgroupBound('1000', '900', 'inactive_file 100\ntotal_inactive_file 300\n', 5_000)?.usedBytes).toBe(600);
});

test('told at 90 %, over below 85 %, nothing in between; the tighter bound is named, with the worker', () => {
  expect(judgeMemory([host(0.89)], null).kind).toBe('keep');
  expect(judgeMemory([host(0.84)], null).kind).toBe('clear');
  expect(judgeMemory([], null).kind).toBe('keep');
  const verdict = judgeMemory([host(0.5), group(0.91)], 6.5 * GB);
  expect(verdict).toMatchObject({ kind: 'raise', hint: expect.stringContaining('batches') });
  expect(verdict.kind === 'raise' && verdict.message).toMatch(
    /91 % .*cgroup.*7.3 GB of 8.0 GB.*worker itself holds 6.5 GB/,
  );
});

test('this machine can be asked', () => {
  const bounds = readMemoryBounds();
  expect(bounds[0]).toMatchObject({ name: 'host' });
  for (const { limitBytes, usedBytes } of bounds) expect(usedBytes).toBeLessThan(limitBytes);
  expect(readResidentBytes(process.pid)).toBeGreaterThan(1e7);
  expect(readResidentBytes(2 ** 22 + 1)).toBeNull();
});
