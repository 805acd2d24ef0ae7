/** Re-reads a checkpoint against its manifest, in constant memory. Reports only; moves and marks nothing. */
import { join } from 'node:path';
import { errnoOf, messageOf } from '../errors.ts';
import { bounceBuffers } from './bounce-buffers.ts';
import { READ_BUFFERS, readChunks } from './chunk-reader.ts';
import { CHUNK_BYTES, digestOf } from './digest.ts';
import type { StoreFiles } from './files.ts';
import { damage, inspect, tensorsWithin } from './inspect.ts';
import { FORMAT_VERSION, TENSORS_FILE } from './manifest.ts';
import { TensorContents } from './tensor-contents.ts';
import type { Damage, Manifest, Verdict, VerificationLevel } from './types.ts';

export interface VerifyRequest {
  /** The session that the checkpoint must belong to. */
  readonly session: string;
  readonly level: VerificationLevel;
  /** Told after each chunk: how much was read of all that will be. Both in bytes. */
  readonly onRead?: (readBytes: number, totalBytes: number) => void;
}

/**
 * Level 0: manifest, names, kinds and sizes. 1: and every chunk's digest, read past the page cache. 2: and the
 * header against the manifest, every tensor's digest, and no NaN or infinity where none may be.
 */
export async function verifyCheckpoint(files: StoreFiles, path: string, request: VerifyRequest): Promise<Verdict> {
  try {
    return await verify(files, path, request);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    if (errno === 'ENOENT' && (await isMissing(files, path))) return { status: 'gone' };
    const reason = messageOf(error);
    return { status: 'unreadable', errno, reason };
  }
}

async function verify(files: StoreFiles, path: string, request: VerifyRequest): Promise<Verdict> {
  const { session, level } = request;
  const inspection = await inspect(files, path, session);
  if (inspection.status === 'gone') return { status: 'gone' };
  if (inspection.status === 'newer') return newerFormat(inspection.version);
  const { manifest } = inspection;
  const damages = [...inspection.damages];
  if (manifest !== null && level > 0) {
    const untouched = Object.keys(manifest.files).filter((name) => !damages.some(({ file }) => file === name));
    const reading = {
      level,
      buffers: bounceBuffers(READ_BUFFERS),
      onRead: tallied(manifest, untouched, request.onRead),
    };
    for (const name of untouched) damages.push(...(await verifyFile(files, path, name, manifest, reading)));
  }
  if (manifest === null || damages.length > 0) return { status: 'damaged', manifest, damages };
  return { status: 'verified', level, manifest };
}

interface Reading {
  readonly level: VerificationLevel;
  readonly buffers: readonly Uint8Array<ArrayBuffer>[];
  readonly onRead: (bytes: number) => void;
}

function tallied(manifest: Manifest, names: readonly string[], onRead: VerifyRequest['onRead']): Reading['onRead'] {
  const totalBytes = names.reduce((sum, name) => sum + (manifest.files[name]?.bytes ?? 0), 0);
  let readBytes = 0;
  onRead?.(0, totalBytes);
  return (bytes) => {
    readBytes += bytes;
    onRead?.(readBytes, totalBytes);
  };
}

async function verifyFile(
  files: StoreFiles,
  path: string,
  name: string,
  manifest: Manifest,
  { level, buffers, onRead }: Reading,
): Promise<readonly Damage[]> {
  const expected = manifest.files[name];
  if (expected === undefined) return [];
  const contents = level === 2 && name === TENSORS_FILE ? new TensorContents(manifest) : null;
  const damages: Damage[] = [];
  try {
    for await (const { index, bytes } of readChunks(files, join(path, name), expected.bytes, buffers)) {
      onRead(bytes.length);
      contents?.push(bytes);
      if (digestOf(bytes) === expected.chunks[index]) continue;
      const from = index * CHUNK_BYTES;
      const to = Math.min(expected.bytes, from + CHUNK_BYTES);
      const tensors = tensorsWithin(manifest, name, from, to);
      damages.push(
        damage(name, `chunk ${index} (bytes ${from} to ${to - 1}) does not match its digest`, index, tensors),
      );
    }
  } catch (error) {
    // The file was replaced by a link between the look at it and its opening.
    if (errnoOf(error) !== 'ELOOP') throw error;
    return [damage(name, 'a symbolic link stands in place of the file')];
  }
  // Where chunks are wrong, what the tensors in them look like says nothing more.
  return damages.length > 0 ? damages : (contents?.damages ?? []);
}

function newerFormat(version: number): Verdict {
  const reason = `written in format version ${version} by a newer nkat-recover; this one reads ${FORMAT_VERSION}`;
  return { status: 'newer-format', version, reason };
}

async function isMissing(files: StoreFiles, path: string): Promise<boolean> {
  try {
    await files.facts(path);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}
