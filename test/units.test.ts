import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, formatShare, formatSize, parseDuration, parseShare, parseSize } from '../src/units.ts';

test('durations are read as people write them', () => {
  expect(parseDuration('300s')).toBe(300_000);
  expect(parseDuration('300')).toBe(300_000);
  expect(parseDuration('5m')).toBe(300_000);
  expect(parseDuration('5min')).toBe(300_000);
  expect(parseDuration('1h30m')).toBe(5_400_000);
  expect(parseDuration('1h 30m')).toBe(5_400_000);
  expect(parseDuration(' 250MS ')).toBe(250);
  expect(parseDuration('1.5s')).toBe(1_500);
  expect(parseDuration('2d')).toBe(172_800_000);
  for (const text of ['5 min', '5 minutes', '5minutes', '300 s', '300 sec', '300 seconds', '5 mins']) {
    expect(parseDuration(text), text).toBe(300_000);
  }
  for (const text of ['1 h 30 min', '1 hour 30 minutes', '1h30min']) expect(parseDuration(text), text).toBe(5_400_000);
  expect(parseDuration('250 ms')).toBe(250);
  expect(parseDuration('1 day')).toBe(86_400_000);
});

test.each([
  '',
  's',
  '5 x',
  '5mm',
  '-5s',
  '1s2h',
  '1s1s',
  'auto',
  '1e3',
  '5m!',
  '5 mi',
  '5 months',
  '2 min 1 min',
  '5  min',
  '9999999999999d',
])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeNull();
});

test('sizes tell decimal from binary units', () => {
  expect(parseSize('20GB')).toBe(20e9);
  expect(parseSize('20 GiB')).toBe(20 * 2 ** 30);
  expect(parseSize('1.5G')).toBe(1.5e9);
  expect(parseSize('4096')).toBe(4096);
  expect(parseSize('512mb')).toBe(512e6);
});

test.each(['', 'GB', '-1GB', '20 XB', '1e9', '20GBB', '99999999TB'])('%j is no size', (text) => {
  expect(parseSize(text)).toBeNull();
});

test('a share needs its sign', () => {
  expect(parseShare('0.5%')).toBe(0.005);
  expect(parseShare('100 %')).toBe(1);
  for (const text of ['0.5', '101%', '-1%', '%', '']) expect(parseShare(text)).toBeNull();
});

test('every written form is read back as the same value', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e12 }), (ms) => parseDuration(formatDuration(ms)) === ms));
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      (bytes) => parseSize(formatSize(bytes)) === bytes,
    ),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), (n) => parseShare(formatShare(n / 100_000)) === n / 100_000),
  );
});
