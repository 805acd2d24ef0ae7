import { expect, test } from 'vitest';
import { afterPowerShell, powerScript, powerShellWords, readPowerLine } from '../../src/power/windows-power.ts';

test('of the power events a sleep and both words for being awake count; lines end as Windows ends them', () => {
  expect(['listening\r', 'power 4\r', 'power 7', 'power 18 '].map(readPowerLine)).toEqual([
    { kind: 'listening' },
    { kind: 'sleep', begins: true },
    { kind: 'sleep', begins: false },
    { kind: 'sleep', begins: false },
  ]);
  // A change of power status, an event of the maker's, and what is no line of ours.
  for (const line of [
    'power 10',
    'power 11',
    'power',
    'power x',
    'power 4 4',
    'power -4',
    '',
    '4',
    'Get-Process : …',
  ]) {
    expect(readPowerLine(line), line).toBeNull();
  }
});

test('the script waits for events only, ends with its parent, and travels in a form without quotes', () => {
  const script = powerScript(4711);
  expect(script).toContain('Get-Process -Id 4711');
  expect(script).toMatch(/SELECT \* FROM Win32_PowerManagementEvent/);
  expect(script).not.toMatch(/Sleep|Timeout/);
  const [encoded = '', ...before] = [...powerShellWords(script)].reverse();
  expect(before).toEqual(['-EncodedCommand', '-NonInteractive', '-NoProfile', '-NoLogo']);
  expect(Buffer.from(encoded, 'base64').toString('utf16le')).toBe(script);
});

test('one that fails is started again later and later, up to ten minutes; one that listened for long begins anew', () => {
  let failures = 0;
  const rests = Array.from({ length: 12 }, () => {
    const after = afterPowerShell({ failures, listenedMs: null, isMissing: false });
    failures = after.failures;
    return after.restMs;
  });
  expect(rests.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(rests.at(-1)).toBe(600_000);
  expect(afterPowerShell({ failures: 9, listenedMs: 60_000, isMissing: false })).toEqual({
    failures: 1,
    restMs: 1_000,
  });
  expect(afterPowerShell({ failures: 9, listenedMs: 59_999, isMissing: false }).failures).toBe(10);
  expect(afterPowerShell({ failures: 0, listenedMs: null, isMissing: true }).restMs).toBeNull();
});
