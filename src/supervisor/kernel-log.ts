/** Reads the kernel's log for what one looks for in it, where this user may read it. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { runProgram } from '../run-program.ts';
import { type KernelLine, readKmsgRecord, readPrintedLine } from './kernel-line.ts';

/** More than the kernel's buffer holds by default; a bound against a log that is written faster than we read. */
const MAX_RECORDS = 20_000;
const RECORD_BYTES = 16 * 1024;
const PROGRAM_MS = 3000;

/** What is picked out of a line; null: nothing. */
export type PickLine<T> = (line: KernelLine) => T | null;

/** What `pick` finds in all that the log still knows of this boot; null: it may not be read here. */
export async function readKernelLog<T>(pick: PickLine<T>): Promise<T[] | null> {
  return readKmsg(pick) ?? pickOut(await print('dmesg', []), pick) ?? pickOut(await printJournal(), pick);
}

/** Why the log may not be read here, as the system says it; for when {@link readKernelLog} gave null. */
export function kernelLogRefusal(): string {
  const others = 'neither dmesg nor journalctl gives any of it';
  try {
    closeSync(openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK));
    return `/dev/kmsg gives nothing to read, and ${others}`;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    const isClosed = errno === 'EACCES' || errno === 'EPERM';
    const why = errno === 'ENOENT' ? 'is not there' : isClosed ? 'is closed to you' : `says ${errno}`;
    return `/dev/kmsg ${why}, and ${others}`;
  }
}

/** One read gives one record; the descriptor does not block, so the end is EAGAIN. Source: dev-kmsg in the kernel's ABI. */
function readKmsg<T>(pick: PickLine<T>): T[] | null {
  let descriptor: number;
  try {
    descriptor = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
  try {
    const buffer = Buffer.allocUnsafe(RECORD_BYTES);
    const records: T[] = [];
    for (let count = 0; count < MAX_RECORDS; count += 1) {
      const text = readRecord(descriptor, buffer);
      if (text === null) break;
      const line = readKmsgRecord(text);
      const picked = line === null ? null : pick(line);
      if (picked !== null) records.push(picked);
    }
    return records;
  } finally {
    closeSync(descriptor);
  }
}

/** Null: no more, or no right to read. An empty text: a record that was overwritten before it was read. */
function readRecord(descriptor: number, buffer: Buffer): string | null {
  try {
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, buffer.length, null));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    return errno === 'EPIPE' ? '' : null;
  }
}

/** A journal that this user may not read is empty, as that of a kernel that has started never is. */
async function printJournal(): Promise<string | null> {
  const text = await print('journalctl', ['-k', '-b', '-q', '--no-pager', '-o', 'short-monotonic']);
  return text === '' ? null : text;
}

async function print(program: string, args: readonly string[]): Promise<string | null> {
  const { failure, stdout } = await runProgram([program, ...args], process.env, PROGRAM_MS);
  return failure === null ? stdout : null;
}

function pickOut<T>(text: string | null, pick: PickLine<T>): T[] | null {
  return text === null ? null : text.split('\n').flatMap((line) => pick(readPrintedLine(line)) ?? []);
}
