/**
 * A program: measures the disk of one folder and prints one line of JSON. `node place.js <folder> [file systems
 * whose speed is known]`. Nothing is left behind: the file
 * that is written has no name any more by the time that it is written.
 */
import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, fdatasyncSync, fstatSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../errors.ts';
import { fileSystemType, isNetworkType } from '../../sessions/file-system.ts';
import type { PlaceAnswer } from '../checks/disk.ts';

const CHUNK_BYTES = 8 * 1024 * 1024;
const CHUNKS = 8;
/** A slow disk is known as such after that time. */
const ENOUGH_MS = 4_000;

function measure(directory: string, known: readonly string[]): PlaceAnswer {
  const present = nearest(directory);
  const { bavail, bsize, blocks } = statfsSync(present);
  const freeBytes = bavail * bsize;
  const path = join(present, `.nkat-doctor-${process.pid}`);
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    unlinkSync(path);
    const device = fstatSync(descriptor).dev;
    const isMeasured = freeBytes > 4 * CHUNK_BYTES * CHUNKS && !known.includes(String(device));
    const facts = {
      directory,
      device,
      freeBytes,
      totalBytes: blocks * bsize,
      ...(isMeasured ? speedOf(descriptor) : { bytesPerSecond: null, syncMs: null }),
      isNetwork: isNetworkType(fileSystemType(present)),
    };
    return { kind: 'facts', facts };
  } finally {
    closeSync(descriptor);
  }
}

/** Random bytes: some disks store zeros for nothing. */
function speedOf(descriptor: number): { bytesPerSecond: number; syncMs: number } {
  const chunk = randomFillSync(Buffer.allocUnsafe(CHUNK_BYTES));
  writeSync(descriptor, chunk, 0, 4096);
  fdatasyncSync(descriptor);
  const beforeMs = performance.now();
  writeSync(descriptor, chunk, 0, 4096);
  fdatasyncSync(descriptor);
  const beganMs = performance.now();
  let bytes = 0;
  for (let count = 0; count < CHUNKS && performance.now() - beganMs < ENOUGH_MS; count += 1) {
    bytes += writeSync(descriptor, chunk);
    fdatasyncSync(descriptor);
  }
  return { bytesPerSecond: bytes / ((performance.now() - beganMs) / 1000), syncMs: beganMs - beforeMs };
}

/** The folder itself is made by the first run: until then the disk is that of what stands above it. */
function nearest(directory: string): string {
  return existsSync(directory) || dirname(directory) === directory ? directory : nearest(dirname(directory));
}

function answer(directory: string, known: readonly string[]): PlaceAnswer {
  try {
    return measure(directory, known);
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) };
  }
}

process.stdout.write(`${JSON.stringify(answer(process.argv[2] ?? '.', process.argv.slice(3)))}\n`);
