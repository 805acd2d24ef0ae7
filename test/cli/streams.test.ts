import { expect, test } from 'vitest';
import { guardStreams } from '../../src/cli/streams.ts';

class SlowReader {
  writableLength = 0;
  readonly written: string[] = [];

  write(text: string): void {
    this.writableLength += text.length;
    this.written.push(text);
  }

  on(): void {}
}

test('a reader that does not keep up misses what is shown in passing, counted, and nothing else; memory is bounded', () => {
  const reader = new SlowReader();
  const streams = guardStreams(reader, new SlowReader());
  const line = `${'x'.repeat(65_535)}\n`;
  for (let index = 0; index < 1_000; index += 1) streams.out(line, 'passing');
  expect(reader.writableLength).toBeLessThan(5 * 1024 * 1024);
  expect(streams.takeLeftOut()).toBe(0);
  streams.out('completed\n');
  expect(reader.written.at(-1)).toBe('completed\n');
  const left = 1_000 * line.length + 'completed\n'.length - reader.writableLength;
  reader.writableLength = 0;
  expect(streams.takeLeftOut()).toBe(left);
  expect(streams.takeLeftOut()).toBe(0);
  // A frame of the live line is out of date when it could be shown: nobody misses it.
  const screen = new SlowReader();
  screen.writableLength = 5 * 1024 * 1024;
  const behind = guardStreams(new SlowReader(), screen);
  behind.draw('a frame');
  screen.writableLength = 0;
  expect([screen.written, behind.takeLeftOut()]).toEqual([[], 0]);
});
