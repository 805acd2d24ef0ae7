/** Files small enough to be held whole: claims, session.json, manifests. */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { StoreFile, StoreFiles } from './files.ts';
import { decodeOwnerTag, isTagDead, ownerTag } from './owner-tag.ts';

/** A small file that is larger than it may be. */
export class FileTooLarge extends Error {
  readonly bytes: number;
  constructor(path: string, bytes: number, limit: number) {
    super(`${path} has ${bytes} bytes; at most ${limit} are read`);
    this.bytes = bytes;
  }
}

/**
 * The whole file. @throws the system's error, or {@link FileTooLarge} before anything of that size is allocated.
 */
export async function readSmallFile(files: StoreFiles, path: string, maxBytes: number): Promise<Buffer> {
  const file = await files.open(path, 'read');
  try {
    const { bytes } = await file.facts();
    if (bytes > maxBytes) throw new FileTooLarge(path, bytes, maxBytes);
    const content = Buffer.allocUnsafe(bytes);
    const read = await readFully(file, content, 0, bytes, 0);
    return content.subarray(0, read);
  } finally {
    await file.close();
  }
}

/** The text of a file, or null when there is none. */
export async function readTextIfAny(files: StoreFiles, path: string, maxBytes: number): Promise<string | null> {
  try {
    return (await readSmallFile(files, path, maxBytes)).toString('utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The names in a directory; none where it is missing. @throws the system's error */
export async function namesIfAny(files: StoreFiles, directory: string): Promise<string[]> {
  try {
    return await files.list(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Reads until `length` bytes are there or the file ends; returns how many there are. */
export async function readFully(
  file: StoreFile,
  target: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < length) {
    const read = await file.read(target, offset + done, length - done, position + done);
    if (read === 0) break;
    done += read;
    // Only the end of the file gives a number that a direct read cannot go on from.
    if (file.direct && done % 4096 !== 0) break;
  }
  return done;
}

/** Writes a new file and syncs it; the name is not durable before its directory is synced. */
export async function writeNewFile(files: StoreFiles, path: string, content: Uint8Array): Promise<void> {
  const file = await files.open(path, 'create');
  try {
    let done = 0;
    while (done < content.length) {
      const written = await file.write(content, done, content.length - done, done);
      if (written === 0) throw new Error(`nothing more could be written to ${path}`);
      done += written;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Replaces a file in one step and durably: readers see the old or the new content, after a power cut too. */
export async function replaceFile(files: StoreFiles, path: string, text: string): Promise<void> {
  const temporary = temporaryPath(dirname(path), 'replace');
  try {
    await writeNewFile(files, temporary, Buffer.from(text, 'utf8'));
    await files.rename(temporary, path);
  } catch (error) {
    await removeIfAny(files, temporary);
    throw error;
  }
  await files.syncDirectory(dirname(path));
}

/** A name in this directory that no one else uses and that {@link cleanTemporaries} knows as this process's. */
export function temporaryPath(directory: string, word: string): string {
  return join(directory, `.${word}_${ownerTag()}_${randomBytes(6).toString('hex')}.tmp`);
}

/** Removes what dead processes left of {@link temporaryPath} in a directory. */
export async function cleanTemporaries(files: StoreFiles, directory: string): Promise<void> {
  for (const name of await files.list(directory)) {
    const tag = /^\.[a-z]+_(.+)_[0-9a-f]{12}\.tmp$/.exec(name)?.[1];
    const owner = tag === undefined ? null : decodeOwnerTag(tag);
    if (owner !== null && isTagDead(owner)) await removeIfAny(files, join(directory, name));
  }
}

export async function removeIfAny(files: StoreFiles, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Removes a file or a directory with all that is in it; links are removed, never followed. */
export async function removeTree(files: StoreFiles, path: string): Promise<void> {
  let kind: string;
  try {
    kind = (await files.facts(path)).kind;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  if (kind !== 'directory') return removeIfAny(files, path);
  for (const name of await files.list(path)) await removeTree(files, join(path, name));
  await files.removeDirectory(path);
}

/** `<directory>/<name>`, or with `~2`, `~3`... where that is taken. */
export async function freePath(files: StoreFiles, directory: string, name: string): Promise<string> {
  for (let number = 1; ; number++) {
    const path = join(directory, number === 1 ? name : `${name}~${number}`);
    try {
      await files.facts(path);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return path;
      throw error;
    }
  }
}
