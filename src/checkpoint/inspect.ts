/** Level 0: the manifest, and the kind and size of every file that it names. */
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import { CHUNK_BYTES } from './digest.ts';
import type { FileFacts, StoreFiles } from './files.ts';
import {
  dataBytes,
  MANIFEST_FILE,
  MAX_MANIFEST_BYTES,
  type ReadManifest,
  readManifest,
  TENSORS_FILE,
} from './manifest.ts';
import { FileTooLarge, readSmallFile } from './small-file.ts';
import type { Damage, DamageAspect, Manifest } from './types.ts';

export type Inspection =
  | { readonly status: 'read'; readonly manifest: Manifest | null; readonly damages: readonly Damage[] }
  | { readonly status: 'newer'; readonly version: number }
  | { readonly status: 'gone' };

/** @throws the system's error where something cannot be read, which says nothing about the data */
export async function inspect(files: StoreFiles, path: string, session: string): Promise<Inspection> {
  const directory = await factsIfAny(files, path);
  if (directory === null) return { status: 'gone' };
  if (directory.kind === 'symlink') return wrong(damage(null, 'a symbolic link stands in place of the directory'));
  if (directory.kind !== 'directory') return wrong(damage(null, 'something else stands in place of the directory'));
  const standing = await standingProblem(files, path, MANIFEST_FILE);
  if (standing !== null) return goneOr(files, path, wrong(standing));
  const read = await manifestIn(files, path);
  if (read.status === 'newer') return read;
  if (read.status === 'damaged') return wrong(damage(MANIFEST_FILE, read.reason));
  const { manifest } = read;
  const damages: Damage[] = [];
  if (manifest.session !== session) {
    damages.push(damage(MANIFEST_FILE, `the manifest belongs to session ${manifest.session}, not to ${session}`));
  }
  for (const name of Object.keys(manifest.files)) {
    const problem = (await standingProblem(files, path, name)) ?? (await sizeProblem(files, path, name, manifest));
    if (problem !== null) damages.push(problem);
  }
  // What else lies there (a note, what a desktop or a later release left) takes nothing from what the manifest names.
  const result: Inspection = { status: 'read', manifest, damages };
  return damages.length === 0 ? result : goneOr(files, path, result);
}

/** Names of the tensors that have bytes in a range of a file. */
export function tensorsWithin(manifest: Manifest, file: string, from: number, to: number): string[] {
  if (file !== TENSORS_FILE) return [];
  const start = dataStart(manifest);
  return manifest.tensors
    .filter(({ offset, bytes }) => bytes > 0 && start + offset < to && start + offset + bytes > from)
    .map(({ name }) => name);
}

/** Where the data begins in the tensors' file: it ends with the last tensor. */
export function dataStart(manifest: Manifest): number {
  return (manifest.files[TENSORS_FILE]?.bytes ?? 0) - dataBytes(manifest);
}

export function damage(
  file: string | null,
  reason: string,
  chunk: number | null = null,
  tensors: readonly string[] = [],
  aspect: DamageAspect | null = null,
): Damage {
  return { file, reason, tensors, chunk, ...(aspect === null ? {} : { aspect }) };
}

function wrong(found: Damage): Inspection {
  return { status: 'read', manifest: null, damages: [found] };
}

/** A directory that is removed while we look shows as one with missing files: look again before calling it damage. */
async function goneOr(files: StoreFiles, path: string, result: Inspection): Promise<Inspection> {
  return (await factsIfAny(files, path)) === null ? { status: 'gone' } : result;
}

async function manifestIn(files: StoreFiles, path: string): Promise<ReadManifest> {
  try {
    return readManifest(await readSmallFile(files, join(path, MANIFEST_FILE), MAX_MANIFEST_BYTES));
  } catch (error) {
    if (error instanceof FileTooLarge) return { status: 'damaged', reason: `the manifest has ${error.bytes} bytes` };
    throw error;
  }
}

async function standingProblem(files: StoreFiles, path: string, name: string): Promise<Damage | null> {
  const facts = await factsIfAny(files, join(path, name));
  if (facts === null) return damage(name, 'the file is missing', null, [], 'missing');
  if (facts.kind === 'symlink') return damage(name, 'a symbolic link stands in place of the file');
  if (facts.kind === 'file') return null;
  const found = facts.kind === 'directory' ? 'a directory' : 'something else';
  return damage(name, `${found} stands in place of the file`);
}

async function sizeProblem(files: StoreFiles, path: string, name: string, manifest: Manifest): Promise<Damage | null> {
  const expected = manifest.files[name]?.bytes ?? 0;
  const actual = (await factsIfAny(files, join(path, name)))?.bytes ?? 0;
  if (actual === expected) return null;
  if (actual > expected) return damage(name, `the file has ${actual} bytes instead of ${expected}`);
  const chunk = Math.floor(actual / CHUNK_BYTES);
  const lost = tensorsWithin(manifest, name, actual, expected);
  return damage(name, `the file was cut to ${actual} of ${expected} bytes`, chunk, lost);
}

async function factsIfAny(files: StoreFiles, path: string): Promise<FileFacts | null> {
  try {
    return await files.facts(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
