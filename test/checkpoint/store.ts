/** A store in a temporary directory, and the few steps that most tests of the store begin with. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireClaim } from '../../src/checkpoint/claim.ts';
import { beginCommit } from '../../src/checkpoint/commit.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { type StoreLayout, storeLayout } from '../../src/checkpoint/layout.ts';
import { bytesOf } from '../../src/checkpoint/safetensors-header.ts';
import type { CheckpointFacts, Committed, TensorSpec } from '../../src/checkpoint/types.ts';
import { atTestEnd } from '../rig/test-end.ts';

export const SESSION = '20261122_120000_abcd';

/** A directory that goes when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nkat-store-'));
  atTestEnd(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function temporaryLayout(): StoreLayout {
  const directory = temporaryDirectory();
  return storeLayout(join(directory, 'root'), join(directory, 'backups'), SESSION);
}

export async function claimed(layout: StoreLayout, files: StoreFiles = nodeFiles): Promise<number> {
  const outcome = await acquireClaim(files, layout.directory, { role: 'alone', takeOver: false });
  if (outcome.status !== 'claimed') throw new Error('the claim is held');
  return outcome.claim;
}

export function facts(step: number, more: Partial<CheckpointFacts> = {}): CheckpointFacts {
  return {
    step,
    epoch: 0,
    kinds: ['auto'],
    reason: null,
    parent: null,
    attempt: 1,
    metrics: {},
    backend: 'plain',
    versions: { node: process.versions.node },
    trainer: null,
    ...more,
  };
}

export const SMALL: readonly TensorSpec[] = [
  { name: 'weights', dtype: 'F32', shape: [64, 4] },
  { name: 'bias', dtype: 'F32', shape: [4] },
];

export interface SaveOptions {
  readonly layout: StoreLayout;
  readonly claim: number;
  readonly step: number;
  readonly tensors?: readonly TensorSpec[];
  readonly bytes?: Uint8Array;
  readonly facts?: Partial<CheckpointFacts>;
  readonly files?: StoreFiles;
  readonly state?: string;
}

/** One whole commit; the values follow from the step unless bytes are given. */
export async function save(options: SaveOptions): Promise<Committed> {
  const { layout, claim, step, tensors = SMALL, files = nodeFiles, state = `{"step":${step}}` } = options;
  const total = tensors.reduce((sum, { dtype, shape }) => sum + (bytesOf(dtype, shape) ?? 0), 0);
  const commit = await beginCommit(files, { layout, claim, tensors });
  await commit.append(options.bytes ?? patterned(total, step));
  return commit.finish({ state, facts: facts(step, options.facts) });
}

/** Bytes that look like finite floats of 32 bits and differ by seed. */
export function patterned(bytes: number, seed: number): Uint8Array {
  const values = new Float32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < values.length; i++) values[i] = (i % 1000) + seed / 8;
  return new Uint8Array(values.buffer, 0, bytes);
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was expected to fail');
}
