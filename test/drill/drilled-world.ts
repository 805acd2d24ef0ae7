/** Sessions whose checkpoints look like those of the SDK, for drills that launch no trainer. */
import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { acquireClaim, releaseClaim } from '../../src/checkpoint/claim.ts';
import { beginCommit } from '../../src/checkpoint/commit.ts';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import type { StoreLayout } from '../../src/checkpoint/layout.ts';
import { bytesOf } from '../../src/checkpoint/safetensors-header.ts';
import { encodeState } from '../../src/checkpoint/state-json.ts';
import type { CheckpointFacts, Committed, TensorSpec } from '../../src/checkpoint/types.ts';
import type { CheckpointDrill, DrillReport, SessionDrill } from '../../src/drill/types.ts';
import { type SessionChanges, World } from '../cli/world.ts';

export const MODEL: readonly TensorSpec[] = [
  { name: 'model/dense/kernel', dtype: 'F32', shape: [4, 2] },
  { name: 'model/dense/bias', dtype: 'F32', shape: [2] },
];
export const ADAM: readonly TensorSpec[] = [
  { name: 'optimizer/accBeta1', dtype: 'F32', shape: [] },
  ...MODEL.flatMap(({ name, dtype, shape }) =>
    ['m', 'v'].map((slot) => ({ name: `optimizer/${slot}/${name}`, dtype, shape })),
  ),
];

export interface SavedCheckpoint {
  readonly step: number;
  readonly tensors?: readonly TensorSpec[];
  readonly facts?: Partial<CheckpointFacts>;
  /** In the place of a tfjs state with Adam. */
  readonly state?: unknown;
  readonly stateVersion?: number;
  /** In the place of the first value. */
  readonly first?: number;
}

export function adamState(trained: readonly string[] = MODEL.map(({ name }) => name)): unknown {
  return {
    steps: 1,
    optimizers: { optimizer: { className: 'Adam', iterations: 1, learningRate: 0.1, trained } },
    average: null,
  };
}

export class DrilledWorld extends World {
  async add(id: string, checkpoints: readonly SavedCheckpoint[], changes: SessionChanges = {}): Promise<StoreLayout> {
    const layout = await this.addSession(id, changes);
    await this.save(layout, checkpoints);
    return layout;
  }

  async save(layout: StoreLayout, checkpoints: readonly SavedCheckpoint[]): Promise<Committed[]> {
    const claim = await acquireClaim(nodeFiles, layout.directory, { role: 'supervisor', takeOver: false });
    if (claim.status !== 'claimed') throw new Error('the session of the test is held');
    const committed: Committed[] = [];
    for (const checkpoint of checkpoints) committed.push(await saveOne(layout, claim.claim, checkpoint));
    await releaseClaim(nodeFiles, layout.directory, claim.claim);
    return committed;
  }

  /** On level 2 where none is named: these sessions have no trainer that could be launched. */
  async drill(...args: string[]): Promise<{ code: number | null; report: DrillReport; session: SessionDrill }> {
    const { code, stdout, stderr } = await this.cli(['drill', '--json', '--level', '2', ...args]);
    if (!stdout.startsWith('{"version":1,"drill"')) throw new Error(`no report: ${stdout}${stderr}`);
    const report = JSON.parse(stdout) as DrillReport;
    return { code, report, session: report.sessions[0] as SessionDrill };
  }
}

async function saveOne(layout: StoreLayout, claim: number, checkpoint: SavedCheckpoint): Promise<Committed> {
  const { step, tensors = [...MODEL, ...ADAM], state = adamState(), stateVersion = 1, first = step } = checkpoint;
  const commit = await beginCommit(nodeFiles, { layout, claim, tensors });
  const total = tensors.reduce((sum, { dtype, shape }) => sum + (bytesOf(dtype, shape) ?? 0), 0);
  await commit.append(new Uint8Array(new Float32Array(total / 4).fill(first, 0, 1).buffer));
  return commit.finish({
    state: encodeState({ version: stateVersion, run: {}, kept: {}, state }),
    facts: {
      step,
      epoch: Math.floor(step / 10),
      kinds: ['auto'],
      reason: null,
      parent: null,
      attempt: 1,
      metrics: {},
      backend: 'tfjs-cpu',
      versions: { node: process.versions.node },
      trainer: null,
      ...checkpoint.facts,
    },
  });
}

export function checkpointOf(session: SessionDrill, sequence: number): CheckpointDrill {
  const found = session.checkpoints.find((checkpoint) => checkpoint.sequence === sequence);
  if (found === undefined) throw new Error(`checkpoint ${sequence} was not drilled`);
  return found;
}

/** Folder of a checkpoint. */
export function folderOf({ directory }: StoreLayout, sequence: number): string {
  const name = readdirSync(directory).find(
    (entry) => entry.endsWith(`_${sequence}`) && entry.startsWith('checkpoint_'),
  );
  if (name === undefined) throw new Error(`no checkpoint ${sequence}`);
  return join(directory, name);
}

/** Turns the last byte of a file around. */
export function flipLastByte(path: string, bytes: number): void {
  const descriptor = openSync(path, 'r+');
  try {
    const last = Buffer.alloc(1);
    readSync(descriptor, last, 0, 1, bytes - 1);
    writeSync(descriptor, Buffer.of((last[0] ?? 0) ^ 0xff), 0, 1, bytes - 1);
  } finally {
    closeSync(descriptor);
  }
}
