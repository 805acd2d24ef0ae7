/**
 * The logs that cron and the task scheduler keep by `>>`: nobody but the program that they start can keep them small. It does
 * so before it says anything, so that the log of a run is never torn.
 */
import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { errnoOf, messageOf } from '../../errors.ts';
import type { CommandContext } from '../context.ts';
import { line } from '../render/line.ts';
import { paintLine, paintWith } from '../render/paint.ts';

/** In the folder of the logs: what drills by cron say, and what the recovery at boot says where no journal keeps it. */
export const DRILL_LOG = 'drill.log';
export const SERVICE_LOG = 'service.log';

/** Some hundred drills; as much again is kept in `<path>.1`. */
const MAX_BYTES = 1024 * 1024;
/** What a shell may have said of this run already: the date. */
const LAST_LINE_BYTES = 256;

/**
 * Moves what is in the log to `<path>.1` where the log is our own output and has grown; its last line stays.
 * @param descriptor our output @returns why it could not be done; null: it was, or there is nothing to do
 */
export function keepLogSmall(path: string, descriptor = 1): string | null {
  try {
    const output = fstatSync(descriptor);
    if (!output.isFile() || output.size <= MAX_BYTES) return null;
    const log = openSync(path, 'r+');
    try {
      const { dev, ino, size } = fstatSync(log);
      if (dev !== output.dev || ino !== output.ino) return null;
      const line = lastLine(log, size);
      copyFileSync(path, `${path}.1.new`);
      renameSync(`${path}.1.new`, `${path}.1`);
      // Whoever holds it open for appending, as the shell and we do, goes on behind what is written here.
      ftruncateSync(log, 0);
      writeSync(log, line, 0, line.length, 0);
    } finally {
      closeSync(log);
    }
    return null;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    // No output, or no such log: somebody looks on at a terminal.
    return errno === 'ENOENT' || errno === 'EBADF' ? null : `${path} cannot be kept small: ${messageOf(error)}`;
  }
}

/** @param problem as `keepLogSmall` found it */
export function tellLogProblem({ streams, terminal }: CommandContext, problem: string | null): void {
  if (problem === null) return;
  streams.err(paintLine(paintWith(terminal.colourErr), line(problem, 'warning')));
}

function lastLine(log: number, size: number): Buffer {
  const tail = Buffer.alloc(Math.min(size, LAST_LINE_BYTES));
  const length = readSync(log, tail, 0, tail.length, size - tail.length);
  // The newline at its end belongs to it.
  const begin = tail.lastIndexOf('\n', length - 2) + 1;
  return tail.subarray(begin, length);
}
