/** Fetches wheels with pip and packages with npm, and compares each with its pinned hash. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { NkatError } from '../errors.ts';
import { failedProgram } from './failed-program.ts';
import { type NpmPackage, WHEEL_TAGS, type Wheel } from './pins.ts';
import type { RunProgram } from './program.ts';

export interface Download {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

interface Fetching {
  /** Empty, gets the file. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: string;
  readonly run: RunProgram;
}

/** What npm has is taken unasked, its hash is known; and who has no network waits seconds for the words, not minutes. */
const PATIENCE = ['--prefer-offline', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];

const OPERATION = 'fetch the native backend';

/**
 * `pip download` without dependencies, with pip's own settings (index, proxy, cache).
 * @throws NkatError `download-failed`, `download-damaged`, `no-space`
 */
export async function fetchWheel(python: string, wheel: Wheel, fetching: Fetching): Promise<Download> {
  const { folder, environment, log, run } = fetching;
  // Within the folder: what a pip that was killed leaves there goes with it, and its growth can be shown.
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  const args = ['-m', 'pip', 'download', '--no-deps', '--no-input', '--disable-pip-version-check', '--retries=3'];
  const wanted = `${wheel.name}==${wheel.version}`;
  const end = await run({
    file: python,
    args: [...args, ...WHEEL_TAGS, '--dest', folder, wanted],
    cwd: folder,
    environment: { ...environment, TMPDIR: temporary },
    log,
  });
  if (end.code !== 0) {
    throw failedProgram(end, { program: 'pip', operation: `fetch ${wanted}`, otherwise: 'download-failed', log });
  }
  rmSync(temporary, { recursive: true, force: true });
  const download = await downloaded(folder, wheel, '.whl', 'sha256', 'hex');
  if (wheel.sha256 !== null && wheel.sha256 !== download.hash) throw damaged(wanted, wheel.sha256, download.hash);
  return { ...download.facts, sha256: download.hash };
}

/** @throws NkatError `download-failed`, `download-damaged`, `no-space` */
export async function fetchPackage(npm: string, wanted: NpmPackage, fetching: Fetching): Promise<Download> {
  const { folder, environment, log, run } = fetching;
  const name = `${wanted.name}@${wanted.version}`;
  const args = ['pack', name, '--ignore-scripts', '--pack-destination', folder, '--no-update-notifier', ...PATIENCE];
  const end = await run({ file: npm, args, cwd: folder, environment, log });
  if (end.code !== 0) {
    throw failedProgram(end, { program: 'npm', operation: `fetch ${name}`, otherwise: 'download-failed', log });
  }
  const integrity = await downloaded(folder, wanted, '.tgz', 'sha512', 'base64');
  const found = `sha512-${integrity.hash}`;
  if (found !== wanted.integrity) throw damaged(name, wanted.integrity, found);
  const { hash } = await downloaded(folder, wanted, '.tgz', 'sha256', 'hex');
  return { ...integrity.facts, sha256: hash };
}

/** SHA-256 in hexadecimal. */
export function hashOf(path: string): Promise<string> {
  return digest(path, 'sha256', 'hex');
}

async function downloaded(
  folder: string,
  { name, version }: { readonly name: string; readonly version: string },
  ending: string,
  algorithm: 'sha256' | 'sha512',
  encoding: 'hex' | 'base64',
): Promise<{ readonly hash: string; readonly facts: Omit<Download, 'sha256'> }> {
  const file = readdirSync(folder).find((each) => each.endsWith(ending));
  if (file === undefined) {
    throw new NkatError(`no file came of ${name} ${version}`, {
      code: 'download-failed',
      operation: OPERATION,
      path: folder,
    });
  }
  const path = join(folder, file);
  return {
    hash: await digest(path, algorithm, encoding),
    facts: { name, version, file, bytes: statSync(path).size },
  };
}

async function digest(path: string, algorithm: 'sha256' | 'sha512', encoding: 'hex' | 'base64'): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest(encoding);
}

function damaged(what: string, wanted: string, found: string): NkatError {
  return new NkatError(`${what} is not the file that is pinned: its hash is ${found}, not ${wanted}`, {
    code: 'download-damaged',
    operation: OPERATION,
    hint: 'A mirror or a proxy changed it, or it broke on the way: nothing of it was used. Run the same line again.',
  });
}
