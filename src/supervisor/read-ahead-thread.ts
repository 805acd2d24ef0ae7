/** A thread of {@link readAhead}: touches what the main thread will read, so that it finds it in memory. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { looksLikeCheckpoint, QUARANTINE } from '../checkpoint/layout.ts';
import { MANIFEST_FILE } from '../checkpoint/manifest.ts';
import { SESSION_FILE } from '../checkpoint/session-file.ts';
import type { ReadAheadWork } from './read-ahead.ts';

/** More of one file is not worth reading ahead. */
const MOST_BYTES = 256 * 1024;

const { directories, manifests, first, every, window, done } = workerData as ReadAheadWork;
const buffer = Buffer.allocUnsafe(MOST_BYTES);

for (let at = first; at < directories.length; at += every) {
  for (let reached = Atomics.load(done, 0); at >= reached + window; reached = Atomics.load(done, 0)) {
    Atomics.wait(done, 0, reached);
  }
  // What was read already needs no touch any more.
  if (at >= Atomics.load(done, 0)) touchSession(directories[at] ?? '');
}

function touchSession(directory: string): void {
  touch(join(directory, SESSION_FILE));
  if (!manifests) {
    namesIn(directory);
    return;
  }
  for (const place of [directory, join(directory, QUARANTINE)]) {
    for (const name of namesIn(place)) if (looksLikeCheckpoint(name)) touch(join(place, name, MANIFEST_FILE));
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Whoever reads it in earnest will say what is wrong with it.
    return [];
  }
}

function touch(path: string): void {
  try {
    const descriptor = openSync(path, 'r');
    try {
      if (fstatSync(descriptor).isFile()) readSync(descriptor, buffer, 0, MOST_BYTES, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // As above.
  }
}
