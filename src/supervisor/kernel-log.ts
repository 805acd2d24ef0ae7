/** Reads OOM kills from the kernel's log, where this user may read it. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { execa } from 'execa';
import { errnoOf } from '../errors.ts';
import { type OomRecord, parseDmesgLine, parseKernelRecord } from './oom-records.ts';

/** More than the kernel's buffer holds by default; a bound against a log that is written faster than we read. */
const MAX_RECORDS = 20_000;
const RECORD_BYTES = 16 * 1024;
const DMESG_MS = 3000;

/** Every OOM kill that the log still knows; null: it may not be read here. */
export async function readOomRecords(): Promise<OomRecord[] | null> {
  return readKmsg() ?? (await readDmesg());
}

/** One read gives one record; the descriptor does not block, so the end is EAGAIN. Source: dev-kmsg in the kernel's ABI. */
function readKmsg(): OomRecord[] | null {
  let descriptor: number;
  try {
    descriptor = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
  try {
    const buffer = Buffer.allocUnsafe(RECORD_BYTES);
    const records: OomRecord[] = [];
    for (let count = 0; count < MAX_RECORDS; count += 1) {
      const text = readRecord(descriptor, buffer);
      if (text === null) break;
      const record = parseKernelRecord(text);
      if (record !== null) records.push(record);
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

async function readDmesg(): Promise<OomRecord[] | null> {
  const result = await execa('dmesg', [], { reject: false, stdin: 'ignore', stderr: 'ignore', timeout: DMESG_MS });
  if (result.failed) return null;
  return result.stdout.split('\n').flatMap((line) => parseDmesgLine(line) ?? []);
}
