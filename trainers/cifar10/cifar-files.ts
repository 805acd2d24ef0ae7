/** The published binary files of CIFAR-10, checked before a single image is used. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLASSES, RECORD_BYTES, Records } from './records.ts';
import { Refusal } from './refusal.ts';

/** Source: the page of CIFAR-10, section "Binary version". */
const RECORDS_PER_FILE = 10_000;
const TRAINING = ['data_batch_1.bin', 'data_batch_2.bin', 'data_batch_3.bin', 'data_batch_4.bin', 'data_batch_5.bin'];
const TEST = 'test_batch.bin';
const NAMES = 'batches.meta.txt';
/** CIFAR-100 has two labels a record; its files have 50,000 records and 10,000. */
const CIFAR_100_BYTES = [5, 1].map((files) => RECORDS_PER_FILE * files * (RECORD_BYTES + 1));

const WHERE =
  'Give --data the folder cifar-10-batches-bin of cifar-10-binary.tar.gz, or leave --data out to train on a stand-in.';
const AGAIN = 'Unpack cifar-10-binary.tar.gz again: the file is not the published one.';

export interface CifarFiles {
  readonly training: Records;
  readonly test: Records;
  /** Of the ten classes, by their numbers. */
  readonly classNames: readonly string[];
}

/**
 * @param recordsPerFile other than the published number: for tests
 * @throws Refusal naming the file, what was expected, what was found, and what to do
 */
export function readCifarFiles(folder: string, recordsPerFile = RECORDS_PER_FILE): CifarFiles {
  const present = namesIn(folder);
  const missing = [...TRAINING, TEST, NAMES].filter((name) => !present.includes(name));
  if (missing.length > 0) {
    const found = present.length === 0 ? 'the folder is empty' : `found there: ${present.slice(0, 10).join(', ')}`;
    throw new Refusal(`${missing.join(', ')} of CIFAR-10 is missing in ${folder}; ${found}`, WHERE);
  }
  const classNames = readNames(join(folder, NAMES));
  const size = recordsPerFile * RECORD_BYTES;
  const training = new Uint8Array(TRAINING.length * size);
  for (const [index, name] of TRAINING.entries()) training.set(readRecords(join(folder, name), size), index * size);
  return { training: new Records(training), test: new Records(readRecords(join(folder, TEST), size)), classNames };
}

function namesIn(folder: string): string[] {
  return reading(folder, 'the folder given with --data', () => readdirSync(folder).sort());
}

function readRecords(path: string, size: number): Uint8Array {
  const bytes = reading(path, 'a file of CIFAR-10', () => readFileSync(path));
  if (bytes.length !== size) {
    const expected = `${size} bytes (${size / RECORD_BYTES} records of ${RECORD_BYTES})`;
    const other = CIFAR_100_BYTES.includes(bytes.length) ? ', the size of a file of CIFAR-100' : '';
    throw new Refusal(`${path} should have ${expected} and has ${bytes.length}${other}`, AGAIN);
  }
  for (let at = 0; at < size; at += RECORD_BYTES) {
    const label = bytes[at] ?? 0;
    if (label < CLASSES) continue;
    const which = `record ${at / RECORD_BYTES} (byte ${at}) of ${path}`;
    throw new Refusal(`${which} should begin with a class from 0 to ${CLASSES - 1} and begins with ${label}`, AGAIN);
  }
  return bytes;
}

function readNames(path: string): string[] {
  const text = reading(path, 'a file of CIFAR-10', () => readFileSync(path, 'utf8'));
  const names = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (names.length === CLASSES) return names;
  throw new Refusal(`${path} should name ${CLASSES} classes, one a line, and names ${names.length}`, AGAIN);
}

function reading<T>(path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Error ? error.message.split(',', 1)[0] : String(error);
    throw new Refusal(`${path}, ${what}, cannot be read: ${why}`, WHERE);
  }
}
