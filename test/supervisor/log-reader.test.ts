import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { LogReader } from '../../src/supervisor/log-reader.ts';
import { RotatingFile } from '../../src/supervisor/rotating-file.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

function readerOf(directory: string): LogReader {
  const reader = new LogReader(directory);
  onTestFinished(() => reader.close());
  return reader;
}

async function linesOf(reader: LogReader): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of reader.read()) lines.push(...batch);
  return lines;
}

function rotating(directory: string, maxBytes: number, keep = 3): RotatingFile {
  const file = new RotatingFile({ path: join(directory, 'session.log'), maxBytes, keep, onProblem: () => undefined });
  onTestFinished(() => file.close());
  return file;
}

test('rotated files come in order, oldest first, and nothing twice', async () => {
  const directory = temporaryDirectory();
  const file = rotating(directory, 40);
  for (let number = 0; number < 12; number += 1) {
    file.write(`line ${number}\n`);
    file.flush();
  }
  const lines = await linesOf(readerOf(directory));
  expect(lines.length).toBeGreaterThan(10);
  expect(lines).toEqual(Array.from({ length: lines.length }, (_, at) => `line ${12 - lines.length + at}`));
});

test('it goes on where it was, across any number of rotations that it can still follow', async () => {
  const directory = temporaryDirectory();
  const file = rotating(directory, 30);
  const reader = readerOf(directory);
  const read: string[] = [];
  for (let number = 0; number < 60; number += 1) {
    file.write(`line ${number}\n`);
    file.flush();
    if (number % 4 === 0) read.push(...(await linesOf(reader)));
  }
  read.push(...(await linesOf(reader)));
  expect(read).toEqual(Array.from({ length: 60 }, (_, number) => `line ${number}`));
  expect(reader.takeMissed()).toBe(false);
});

test('what was rotated out unread is told as missed', async () => {
  const directory = temporaryDirectory();
  const file = rotating(directory, 30, 1);
  const reader = readerOf(directory);
  file.write('first\n');
  file.flush();
  expect(await linesOf(reader)).toEqual(['first']);
  for (let number = 0; number < 40; number += 1) {
    file.write(`line ${number}\n`);
    file.flush();
  }
  const rest = await linesOf(reader);
  expect(rest.at(-1)).toBe('line 39');
  expect(reader.takeMissed()).toBe(true);
  expect(reader.takeMissed()).toBe(false);
});

test('no folder, an unfinished line, a line that is taken back', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'session.log');
  const reader = readerOf(directory);
  expect(await linesOf(reader)).toEqual([]);
  writeFileSync(path, 'whole\ntor');
  expect(await linesOf(reader)).toEqual(['whole']);
  writeFileSync(path, 'whole\n', { flag: 'r+' });
  rmSync(path);
  writeFileSync(path, 'another file\n');
  appendFileSync(path, 'and more\n');
  expect(await linesOf(reader)).toEqual(['tor', 'another file', 'and more']);
});

test('what is written and rotated away between its last read and its look at the folder is read', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'session.log');
  writeFileSync(path, 'early\n');
  const handle = await open(path);
  // The size is asked for after the last read: here the writer is faster than the look that follows.
  const { stat } = handle;
  const asked = vi.spyOn(Object.getPrototypeOf(handle) as { stat: () => Promise<unknown> }, 'stat');
  onTestFinished(() => asked.mockRestore());
  await handle.close();
  const reader = readerOf(directory);
  let asks = 0;
  asked.mockImplementation(async function (this: unknown) {
    const facts = await stat.call(this as typeof handle);
    asks += 1;
    // The first is that of the opening.
    if (asks === 2) {
      appendFileSync(path, 'late\n');
      renameSync(path, `${path}.1`);
      writeFileSync(path, 'next\n');
    }
    return facts;
  });
  expect(await linesOf(reader)).toEqual(['early', 'late', 'next']);
});

test('a torn line that its writer takes back is not put before the next one', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'session.log');
  const reader = readerOf(directory);
  writeFileSync(path, 'whole\ntorn in the mid');
  expect(await linesOf(reader)).toEqual(['whole']);
  truncateSync(path, 'whole\n'.length);
  expect(await linesOf(reader)).toEqual([]);
  appendFileSync(path, 'next\n');
  expect(await linesOf(reader)).toEqual(['next']);
});
