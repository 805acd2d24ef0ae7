/** The end of a trainer's output, for the reason why a rehearsal failed. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

const READ_BYTES = 16_384;
const LINES = 8;

/** At most the last lines of a file; none where it cannot be read. */
export function lastLinesOf(path: string): readonly string[] {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return [];
  }
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, READ_BYTES));
    const read = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    const lines = bytes.toString('utf8', 0, read).split('\n');
    return lines.filter((text) => text.trim() !== '').slice(-LINES);
  } finally {
    closeSync(descriptor);
  }
}
