/**
 * One commit: tensors stream into a staging directory, then state and manifest, each synced; the directory is synced
 * and renamed, and both parents are synced. When `finish` resolves the checkpoint survives a power cut; before that,
 * nothing that was there has been touched.
 */
import { join } from 'node:path';
import { errnoOf, NkatError } from '../errors.ts';
import type { Commit, CommitRequest } from './commit-steps.ts';
import { requireClaim } from './fence.ts';
import type { StoreFiles } from './files.ts';
import { makeDurableLevel, STAGING } from './layout.ts';
import { listSession } from './list.ts';
import { totalBytes } from './manifest.ts';
import { planFile } from './safetensors-header.ts';
import { nextSequence, usedSequences } from './sequence.ts';
import { requireRoom } from './space.ts';
import { OPERATION, StagedCommit } from './staged-commit.ts';
import { cleanStaging, makeStaging } from './staging.ts';
import { storeError } from './store-error.ts';

/**
 * Opens a commit: checks claim and room (at least 2x the larger of this and the last checkpoint; its own size where the run ends with it), and makes the
 * staging directory. @throws NkatError `fenced`, `no-space`, `io`, `state-mismatch` (see `planFile`)
 */
export async function beginCommit(files: StoreFiles, request: CommitRequest): Promise<Commit> {
  const { layout, claim } = request;
  const planned = planFile(request.tensors);
  await requireClaim(files, layout, claim);
  try {
    const startedAt = performance.now();
    const staging = join(layout.directory, STAGING);
    await makeStagingPlace(files, layout.directory, staging);
    await cleanStaging(files, layout.directory);
    const last = (await listSession(files, layout)).find(({ manifest }) => manifest !== null)?.manifest;
    const { expectedBytes = 0, isLast = false } = request;
    const own = Math.max(planned.bytes, expectedBytes);
    await requireRoom(files, layout, isLast || !last ? own : Math.max(own, totalBytes(last)), isLast);
    const made = await makeStaging(files, staging, nextSequence(await usedSequences(files, layout, null)));
    const commit = new StagedCommit(files, request, planned, made, startedAt);
    await commit.start();
    return commit;
  } catch (error) {
    throw storeError(error, OPERATION, layout.directory);
  }
}

/**
 * One level only: the claim made all above it, and where that is gone (its disk was unmounted) nothing may be made in
 * its place, which would hide below the disk when that comes back.
 */
async function makeStagingPlace(files: StoreFiles, directory: string, staging: string): Promise<void> {
  try {
    await makeDurableLevel(files, staging);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new NkatError('the checkpoint directory is gone: is its disk still mounted?', {
      code: 'store-missing',
      operation: OPERATION,
      path: directory,
      hint: 'Mount it again: the run saves again by itself.',
      cause: error,
    });
  }
}
