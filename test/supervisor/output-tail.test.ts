import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { BoundedLines } from '../../src/bounded-lines.ts';
import { attemptFiles } from '../../src/supervisor/attempt-files.ts';
import { OutputTail, type TailOptions } from '../../src/supervisor/output-tail.ts';
import { punchHole } from '../../src/supervisor/punch-hole.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { waitFor } from '../rig/wait-for.ts';
import { fixtureCommand, launch } from './launching.ts';

interface Tailed {
  readonly tail: OutputTail;
  readonly stdout: string[];
  readonly stderr: string[];
  readonly problems: string[];
}

async function follow(outputDirectory: string, overrides: Partial<TailOptions> = {}): Promise<Tailed> {
  const lines: { stdout: string[]; stderr: string[] } = { stdout: [], stderr: [] };
  const problems: string[] = [];
  const tail = new OutputTail({
    outputDirectory,
    attempt: 1,
    onLine: (stream, line) => lines[stream].push(line),
    onProblem: (message) => problems.push(message),
    ...overrides,
  });
  await tail.start();
  onTestFinished(() => tail.close());
  return { tail, ...lines, problems };
}

/** Empty output files of a launch that is yet to write. */
function outputFiles(): { directory: string; stdout: string; stderr: string } {
  const directory = join(temporaryDirectory(), 'logs');
  mkdirSync(directory);
  const { stdout, stderr } = attemptFiles(directory, 1);
  writeFileSync(stdout, '');
  writeFileSync(stderr, '');
  return { directory, stdout, stderr };
}

const allocatedBytes = (path: string): number => statSync(path).blocks * 512;

test('lines come as they are written, each with its stream', async () => {
  const { directory, stdout, stderr } = outputFiles();
  const tailed = await follow(directory);
  appendFileSync(stdout, 'one\ntw');
  await waitFor('the first line', () => tailed.stdout.length === 1);
  appendFileSync(stdout, 'o\r\n\n');
  appendFileSync(stderr, Buffer.from([0x62, 0xff, 0x00, 0x0a]));
  await waitFor('the rest', () => tailed.stdout.length === 3 && tailed.stderr.length === 1);
  expect(tailed.stdout).toEqual(['one', 'two', '']);
  expect(tailed.stderr).toEqual(['b\ufffd\0']);
  expect(tailed.problems).toEqual([]);
});

test('the drain after the end gives what is left, the unfinished last line too', async () => {
  const { worker, spec } = await launch({ command: ['sh', '-c', 'echo first; printf last; printf "no newline" >&2'] });
  const tailed = await follow(spec.outputDirectory);
  await worker.ended;
  await tailed.tail.drain();
  expect(tailed.stdout).toEqual(['first', 'last']);
  expect(tailed.tail.lastLines()).toEqual(['no newline']);
});

test('the drain is bounded by what was there: a grandchild that writes on does not hold it', async () => {
  const { directory, stdout } = outputFiles();
  appendFileSync(stdout, 'first\n');
  let lines = 0;
  const tailed = await follow(directory, {
    // Always one line ahead of the tail: it never comes to the end.
    onLine: () => {
      lines += 1;
      appendFileSync(stdout, 'and on\n');
    },
  });
  await tailed.tail.drain();
  expect(lines).toBeGreaterThan(0);
  await tailed.tail.close();
});

test('a worker that closes its output is followed on the other stream', async () => {
  const { spec } = await launch({ command: fixtureCommand('closes-output.mjs') });
  const tailed = await follow(spec.outputDirectory);
  await waitFor('its word', () => tailed.stderr.includes('closed'));
});

test('a flood loses no line and leaves less than 16 MiB on disk', async () => {
  const count = 400_000;
  let next = 0;
  const wrong: string[] = [];
  const { worker, spec, files } = await launch({ command: fixtureCommand('flood.mjs', String(count)) });
  const { tail, problems } = await follow(spec.outputDirectory, {
    onLine: (stream, line) => {
      if (stream === 'stdout' && Number(line.slice(0, 12)) !== next++) wrong.push(line);
    },
  });
  await worker.ended;
  await tail.drain();
  expect({ next, wrong, problems, dropped: tail.droppedBytes }).toEqual({
    next: count,
    wrong: [],
    problems: [],
    dropped: 0,
  });
  expect(statSync(files.stdout).size).toBe(count * 80);
  expect(allocatedBytes(files.stdout)).toBeLessThan(16 * 1024 * 1024);
  expect(tail.lastLines()).toEqual(['flooded']);
});

test('the event loop turns while a flood is read', async () => {
  const { directory, stdout } = outputFiles();
  writeFileSync(stdout, 'x\n'.repeat(2 * 1024 * 1024));
  let turns = 0;
  const beat = setInterval(() => {
    turns += 1;
  }, 1);
  onTestFinished(() => clearInterval(beat));
  let lines = 0;
  let turnsAtEnd = 0;
  const tailed = await follow(directory, {
    onLine: () => {
      lines += 1;
      turnsAtEnd = turns;
    },
  });
  await tailed.tail.drain();
  expect(lines).toBe(2 * 1024 * 1024);
  expect(turnsAtEnd).toBeGreaterThan(20);
});

test('a second tail goes on where the first one stopped, in the middle of a line too', async () => {
  const { directory, stdout, stderr } = outputFiles();
  const first = await follow(directory);
  appendFileSync(stdout, 'one\ntwo\nthr');
  appendFileSync(stderr, 'an error\n');
  await waitFor('two lines', () => first.stdout.length === 2 && first.stderr.length === 1);
  await first.tail.close();
  appendFileSync(stdout, 'ee\n');
  const second = await follow(directory);
  await second.tail.drain();
  expect(second.stdout).toEqual(['three']);
  expect(second.stderr).toEqual([]);
  expect(second.tail.lastLines()).toEqual(['an error']);
});

test('the offsets of a tail that was never closed are stored as well', async () => {
  const { directory, stdout } = outputFiles();
  await follow(directory);
  appendFileSync(stdout, 'one\n');
  const { offsets } = attemptFiles(directory, 1);
  await waitFor('a stored offset', () => readIfThere(offsets).includes('"stdout":4'));
});

test.each(['', '{', '{"stdout":-1,"stderr":"x"}', '[]', '{"stdout":99999}'])(
  'offsets that make no sense (%s) start at 0',
  async (text) => {
    const { directory, stdout } = outputFiles();
    writeFileSync(stdout, 'one\n');
    writeFileSync(attemptFiles(directory, 1).offsets, text);
    const tailed = await follow(directory);
    await tailed.tail.drain();
    expect(tailed.stdout).toEqual(['one']);
  },
);

test('a hole that somebody made past the offset is passed over', async () => {
  const { directory, stdout } = outputFiles();
  writeFileSync(stdout, `${'x'.repeat(1023)}\n`.repeat(4096));
  expect(await punchHole(stdout, 0, 4096 * 1000)).toBe(true);
  const tailed = await follow(directory);
  await tailed.tail.drain();
  expect(tailed.stdout).toHaveLength(96);
  expect(tailed.stdout.every((line) => line === 'x'.repeat(1023))).toBe(true);
});

test('where no hole can be made the file is truncated, and the tail goes on', async () => {
  const { directory, stdout } = outputFiles();
  const tailed = await follow(directory, {
    punch: () => Promise.resolve(false),
    limits: { releaseBytes: 128 * 1024 },
  });
  const text = `${'x'.repeat(99)}\n`;
  for (let round = 1; round <= 5; round += 1) {
    appendFileSync(stdout, text.repeat(2000));
    await waitFor('this round', () => tailed.stdout.length >= round * 2000);
    await waitFor('a truncated file', () => statSync(stdout).size < 128 * 1024);
  }
  expect(tailed.tail.droppedBytes).toBe(0);
});

test('a writer that is never caught up with loses what is too far behind, counted and said', async () => {
  const { directory, stdout } = outputFiles();
  writeFileSync(stdout, `${'x'.repeat(99)}\n`.repeat(1000));
  const tailed = await follow(directory, { limits: { releaseBytes: 8192, sliceBytes: 4096, backlogBytes: 50_000 } });
  await tailed.tail.drain();
  const readBytes = tailed.stdout.reduce((bytes, line) => bytes + line.length + 1, 0);
  expect(tailed.tail.droppedBytes).toBeGreaterThan(0);
  // The line in which the gap begins was given out without its end.
  expect(Math.abs(readBytes + tailed.tail.droppedBytes - 100_000)).toBeLessThanOrEqual(1);
  expect(tailed.problems).toEqual([
    expect.stringContaining('parts were dropped'),
    expect.stringContaining(`${tailed.tail.droppedBytes} bytes of the worker's output in all`),
  ]);
});

test('of what is too far ahead the newest half is kept, from the start of a line on: an operator wants the end', async () => {
  const { directory, stdout } = outputFiles();
  const lines = Array.from({ length: 30_000 }, (_, index) => `${index} ${'x'.repeat(90)}`);
  writeFileSync(stdout, lines.map((line) => `${line}\n`).join(''));
  const limits = { releaseBytes: 64 * 1024, backlogBytes: 1024 * 1024 };
  const tailed = await follow(directory, { limits });
  await waitFor('the newest line', () => tailed.stdout.at(-1) === lines.at(-1));
  expect(tailed.tail.droppedBytes).toBeGreaterThan(0);
  const kept = tailed.stdout.slice(-5_000);
  expect(kept).toEqual(lines.slice(-5_000));
  // All that was given out is whole, but the line in which the gap begins.
  const all = new Set(lines);
  expect(tailed.stdout.filter((line) => !all.has(line)).length).toBeLessThanOrEqual(1);
  expect(allocatedBytes(stdout)).toBeLessThan(1024 * 1024);
});

test('how far the writer is ahead is looked at more often than space is given back', async () => {
  const { directory, stdout } = outputFiles();
  writeFileSync(stdout, `${'x'.repeat(99)}\n`.repeat(30_000));
  const { tail } = await follow(directory, { limits: { backlogBytes: 50_000 } });
  await tail.drain();
  expect(tail.droppedBytes).toBeGreaterThan(1_500_000);
});

test('a file that somebody truncated is read from its new start', async () => {
  const { directory, stdout } = outputFiles();
  const tailed = await follow(directory);
  appendFileSync(stdout, 'a longer first line\n');
  await waitFor('it', () => tailed.stdout.length === 1);
  truncateSync(stdout, 0);
  appendFileSync(stdout, 'new\n');
  await waitFor('the new one', () => tailed.stdout.includes('new'));
});

test('a line past the bound is cut and says by how much', async () => {
  const { directory, stdout } = outputFiles();
  writeFileSync(stdout, `${'y'.repeat(3_000_000)}\nshort\n`);
  const tailed = await follow(directory);
  await tailed.tail.drain();
  expect(tailed.stdout).toEqual([`${'y'.repeat(65_536)} [... ${3_000_000 - 65_536} bytes cut]`, 'short']);
});

test('only the newest 40 lines of stderr are kept', async () => {
  const { directory, stderr } = outputFiles();
  writeFileSync(stderr, Array.from({ length: 100 }, (_, line) => `${line}\n`).join(''));
  const tailed = await follow(directory);
  await tailed.tail.drain();
  expect(tailed.tail.lastLines()).toEqual(Array.from({ length: 40 }, (_, line) => String(60 + line)));
});

test('lines do not depend on how the bytes were cut', () => {
  const text = fc.array(fc.string({ unit: 'binary', maxLength: 20 }).map((line) => line.replaceAll(/[\r\n]/g, '')));
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (expected, sizes) => {
      const bytes = Buffer.from(expected.map((line) => `${line}\n`).join(''));
      const lines = new BoundedLines(1000);
      const found: string[] = [];
      for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
        const end = start + (sizes[turn % sizes.length] ?? 1);
        found.push(...lines.push(bytes.subarray(start, end)));
        start = end;
      }
      expect(found).toEqual(expected.map((line) => Buffer.from(line).toString()));
      expect(lines.finish()).toBeNull();
      expect(lines.unfinishedBytes).toBe(0);
    }),
  );
});

function readIfThere(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? '' : readFileSync(path, 'utf8');
}

test('what cannot be read is told once, with its place, the cause and what becomes of it', async () => {
  const { directory, stdout } = outputFiles();
  rmSync(stdout, { force: true });
  mkdirSync(stdout);
  const { tail, problems } = await follow(directory);
  await tail.drain();
  expect(problems.filter((text) => text.includes('read stdout'))).toEqual([
    `Could not read stdout of the worker from ${stdout} (EISDIR): it is tried again, the training goes on`,
  ]);
});
