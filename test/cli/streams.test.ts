import { Writable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { Spool } from '../../src/cli/spool.ts';
import { guardStreams } from '../../src/cli/streams.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { waitFor } from '../rig/wait-for.ts';

const MIB = 1024 * 1024;

/** A real stream whose reader takes nothing before it is told to. */
class Reader extends Writable {
  text = '';
  pieces = 0;
  #held: (() => void) | null = null;
  #reads: boolean;

  constructor(reads: boolean) {
    super({ decodeStrings: false });
    this.#reads = reads;
  }

  override _write(piece: string | Buffer, _: BufferEncoding, taken: () => void): void {
    this.text += piece.toString();
    this.pieces += 1;
    if (this.#reads) setImmediate(taken);
    else this.#held = taken;
  }

  goOn(): void {
    this.#reads = true;
    this.#held?.();
    this.#held = null;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a reader that does not keep up misses what is shown in passing, counted, and nothing else; memory is bounded', async () => {
  const reader = new Reader(false);
  const streams = guardStreams(reader, new Reader(true));
  const line = `${'x'.repeat(65_535)}\n`;
  for (let index = 0; index < 1_000; index += 1) streams.out(line, 'passing');
  expect(reader.writableLength).toBeLessThan(5 * MIB);
  expect(streams.takeLeftOut()).toBe(0);
  streams.out('completed\n');
  const taken = reader.writableLength;
  reader.goOn();
  expect(await streams.outFailure()).toBeNull();
  expect(reader.text.endsWith('\ncompleted\n')).toBe(true);
  expect(reader.text).toHaveLength(taken);
  expect(streams.takeLeftOut()).toBe(1_000 * line.length + 'completed\n'.length - taken);
  expect(streams.takeLeftOut()).toBe(0);
});

test('a frame of the live line is out of date when it could be shown: nobody misses it', async () => {
  const screen = new Reader(false);
  const streams = guardStreams(new Reader(true), screen);
  streams.err('x'.repeat(5 * MIB));
  streams.draw('a frame');
  screen.goOn();
  await waitFor('the rest', () => screen.writableLength === 0);
  expect(screen.text.endsWith('x')).toBe(true);
  expect(streams.takeLeftOut()).toBe(0);
});

test('small passing lines wait as blocks, and what is said on the other stream does not come before them', async () => {
  const both = new Reader(true);
  const streams = guardStreams(both, both);
  const line = `${'ä'.repeat(40)}\n`;
  for (let index = 0; index < 10_000; index += 1) streams.out(line, 'passing');
  expect(both.writableLength).toBeGreaterThan(0);
  streams.err('then this\n');
  streams.err('and this\n', 'passing');
  streams.out('at last\n', 'passing');
  expect(await streams.outFailure()).toBeNull();
  expect(both.text).toBe(`${line.repeat(10_000)}then this\nand this\nat last\n`);
  expect(both.pieces).toBeLessThan(30);
});

test('one passing line does not wait for more', async () => {
  const reader = new Reader(true);
  guardStreams(reader, new Reader(true)).out('alone\n', 'passing');
  await turn();
  expect(reader.text).toBe('alone\n');
});

test('a program that counts on every line gets them all and in order, however late it reads; they wait on the disk', async () => {
  const reader = new Reader(false);
  const streams = guardStreams(reader, new Reader(true));
  streams.spoolOut(spool(64 * MIB));
  const said: string[] = [];
  for (let index = 0; index < 200_000; index += 1) {
    const text = `${index} ${'y'.repeat(index % 100)}\n`;
    said.push(text);
    streams.out(text, index % 1_000 === 0 ? 'kept' : 'passing');
  }
  expect(reader.writableLength).toBeLessThan(2 * MIB);
  reader.goOn();
  expect(await streams.outFailure()).toBeNull();
  expect(reader.text === said.join('')).toBe(true);
  expect(streams.takeLeftOut()).toBe(0);
});

test.each([
  ['a full spool', () => spool(18 * MIB)],
  ['a disk that takes nothing', () => new Spool('/dev/null/nowhere')],
])(
  '%s: passing lines are left out and counted, what a program counts on still comes, behind them',
  async (_, spoolOf) => {
    const reader = new Reader(false);
    const streams = guardStreams(reader, new Reader(true));
    streams.spoolOut(spoolOf());
    const line = `${'z'.repeat(999)}\n`;
    for (let index = 0; index < 10_000; index += 1) streams.out(line, 'passing');
    for (let index = 0; index < 20; index += 1) streams.out(`kept ${index} ${line}`);
    expect(reader.writableLength).toBeLessThan(2 * MIB);
    reader.goOn();
    expect(await streams.outFailure()).toBeNull();
    const kept = Array.from({ length: 20 }, (__, index) => `kept ${index} ${line}`).join('');
    expect(reader.text.endsWith(`${line}${kept}`)).toBe(true);
    expect(streams.takeLeftOut()).toBe(10_000 * line.length - (reader.text.length - kept.length));
  },
);

test('a reader that goes away ends the waiting', async () => {
  const reader = new Reader(false);
  const streams = guardStreams(reader, new Reader(true));
  streams.spoolOut(spool(64 * MIB));
  for (let index = 0; index < 4_000; index += 1) streams.out(`${'w'.repeat(999)}\n`, 'passing');
  const failure = streams.outFailure();
  reader.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
  expect(await failure).toBeNull();
  expect(streams.outLost()).toBe(true);
});

function spool(maxBytes: number): Spool {
  const made = new Spool(temporaryDirectory(), maxBytes);
  onTestFinished(() => made.close());
  return made;
}
