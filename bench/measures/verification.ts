/** Cold verification, every chunk, every tensor and every value looked at, against a direct read by dd. */
import { join } from 'node:path';
import { acquireClaim } from '../../src/checkpoint/claim.ts';
import { beginCommit } from '../../src/checkpoint/commit.ts';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { makeDurableDirectory, storeLayout } from '../../src/checkpoint/layout.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import type { Measure, Row } from '../measure.ts';
import { timed } from '../process.ts';

const MIB = 1024 * 1024;
const SESSION = '20260101_000000_benc';
const PART_MIB = 16;

export const verification: Measure = {
  name: 'verification',
  async run(context) {
    const mib = context.quick ? 32 : 1024;
    const path = await checkpoint(context.folder, mib);
    const tensors = join(path, 'tensors.safetensors');
    const read = ['of=/dev/null', `if=${tensors}`, 'bs=8M', 'iflag=direct'];
    const rows: Row[] = [];
    for (const level of [1, 2] as const) {
      const ours: number[] = [];
      const theirs: number[] = [];
      for (let pair = 0; pair < (context.quick ? 1 : 9); pair++) {
        theirs.push(timed('dd', read));
        const startedAt = performance.now();
        const verdict = await verifyCheckpoint(nodeFiles, path, { session: SESSION, level });
        ours.push(performance.now() - startedAt);
        if (verdict.status !== 'verified') throw new Error(`the checkpoint is ${verdict.status}`);
      }
      const what = level === 1 ? 'digests' : 'digests, tensors, values';
      rows.push({
        name: `cold verification of ${mib} MiB (${what})`,
        reference: 'dd iflag=direct',
        unit: 'ms',
        ours,
        theirs,
        target: { bound: 'at most', value: 1.3 },
      });
    }
    return rows;
  },
};

async function checkpoint(folder: string, mib: number): Promise<string> {
  const layout = storeLayout(join(folder, 'checkpoints'), join(folder, 'backups'), SESSION);
  await makeDurableDirectory(nodeFiles, layout.directory);
  const claimed = await acquireClaim(nodeFiles, layout.directory, { role: 'alone', takeOver: false });
  if (claimed.status !== 'claimed') throw new Error('the claim of a new folder is held');
  const tensors = Array.from({ length: mib / PART_MIB }, (_, index) => ({
    name: `weights/${index}`,
    dtype: 'F32' as const,
    shape: [(PART_MIB * MIB) / 4],
  }));
  const commit = await beginCommit(nodeFiles, { layout, claim: claimed.claim, tensors });
  const values = Float32Array.from({ length: (PART_MIB * MIB) / 4 }, (_, index) => Math.sin(index));
  for (const _ of tensors) await commit.append(new Uint8Array(values.buffer));
  const facts = {
    step: 1,
    epoch: 0,
    kinds: ['auto'],
    reason: null,
    parent: null,
    attempt: 1,
    metrics: {},
    backend: null,
    versions: {},
    trainer: null,
  };
  return (await commit.finish({ state: '{}', facts })).path;
}
