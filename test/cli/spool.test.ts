import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { Spool } from '../../src/cli/spool.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

function spoolIn(directory: string, maxBytes: number): Spool {
  const spool = new Spool(directory, maxBytes);
  onTestFinished(() => spool.close());
  return spool;
}

test('what goes in comes out in the same order, around the end of the ring too, and no more goes in than there is room', () => {
  const spool = spoolIn(temporaryDirectory(), 16);
  const steps = fc.array(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 20 })));
  fc.assert(
    fc.property(steps, (doing) => {
      let held: number[] = [];
      for (const what of doing) {
        if (typeof what === 'number') {
          const target = new Uint8Array(what);
          const count = spool.shift(target);
          expect([...target.subarray(0, count)]).toEqual(held.slice(0, count));
          expect(count > 0).toBe(held.length > 0);
          held = held.slice(count);
        } else if (spool.push(what)) held = [...held, ...what];
        else expect(held.length + what.length).toBeGreaterThan(16);
        expect(spool.length).toBe(held.length);
      }
      while (spool.length > 0) spool.shift(new Uint8Array(16));
    }),
  );
});

test('its file has no name, is made only when there is something to keep, and is empty once that was read', () => {
  const directory = temporaryDirectory();
  const spool = spoolIn(directory, 1024 * 1024);
  expect(openFilesIn(directory)).toEqual([]);
  expect(spool.push(new Uint8Array(1_000_000))).toBe(true);
  expect(readdirSync(directory)).toEqual([]);
  const [descriptor = ''] = openFilesIn(directory);
  expect(statSync(descriptor).blocks * 512).toBeGreaterThanOrEqual(1_000_000);
  expect(spool.shift(new Uint8Array(1_000_000))).toBe(1_000_000);
  expect(statSync(descriptor).blocks).toBe(0);
  spool.close();
  expect(openFilesIn(directory)).toEqual([]);
});

test('a place that takes no file costs words, not the run', () => {
  const spool = spoolIn(join(temporaryDirectory(), 'nowhere'), 1024);
  expect(spool.push(new Uint8Array(10))).toBe(false);
  expect([spool.length, spool.shift(new Uint8Array(10))]).toEqual([0, 0]);
});

/** Open files of ours in a directory, those without a name too. */
function openFilesIn(directory: string): string[] {
  return readdirSync('/proc/self/fd')
    .map((name) => `/proc/self/fd/${name}`)
    .filter((path) => linkOf(path).startsWith(directory));
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // The descriptor that read the folder.
    return '';
  }
}
