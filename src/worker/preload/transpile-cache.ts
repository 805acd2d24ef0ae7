/**
 * Transpiled trainers by content hash. Only a help: whatever is wrong with the directory (read-only, full, torn by a
 * power cut), the source is transpiled again.
 */

import { createHash } from 'node:crypto';
import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../../make-directory.ts';

export interface Transpiled {
  readonly format: 'module' | 'commonjs';
  /** JavaScript with an inline source map. */
  readonly code: string;
}

const TRAILER = '\n//# nkat-cache=';
/** SHA-256 in hexadecimal. */
const DIGEST_LENGTH = 64;

export function cacheKey(...parts: readonly string[]): string {
  return hashOf(JSON.stringify(parts));
}

/** Null unless a whole, undamaged entry is there. */
export function readCached(directory: string, key: string): Transpiled | null {
  for (const format of ['module', 'commonjs'] as const) {
    const text = readOrNull(entryPath(directory, key, format));
    if (text === null) continue;
    const end = text.length - TRAILER.length - DIGEST_LENGTH;
    const code = text.slice(0, Math.max(0, end));
    if (end >= 0 && text.slice(end) === TRAILER + hashOf(code)) return { format, code };
  }
  return null;
}

/** Atomic; several processes may write the same entry. */
export function writeCached(directory: string, key: string, { format, code }: Transpiled): void {
  const path = entryPath(directory, key, format);
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
  try {
    makeDirectory(dirname(path), 0o700);
    writeFileSync(temporary, code + TRAILER + hashOf(code), { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    // A cache that cannot be written costs a few milliseconds at each start, never a run.
    removeQuietly(temporary);
  }
}

function entryPath(directory: string, key: string, format: Transpiled['format']): string {
  return join(directory, 'transpiled', `${key}.${format === 'module' ? 'mjs' : 'cjs'}`);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not there, or not readable: transpiled again.
    return null;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never created.
  }
}
