/** Rows of the index as they follow from what lies on the disk. */
import { totalBytes } from '../checkpoint/manifest.ts';
import type { Manifest } from '../checkpoint/types.ts';
import type { AttemptRow, CheckpointRow, CheckpointState } from '../sessions/types.ts';

export function checkpointRow(
  session: string,
  manifest: Manifest,
  path: string,
  state: CheckpointState,
): CheckpointRow {
  const { sequence, step, epoch, kinds, reason, createdAt, metrics, parent, attempt } = manifest;
  return {
    session,
    sequence,
    step,
    epoch,
    kinds,
    reason,
    state,
    bytes: totalBytes(manifest),
    createdAt,
    digest: manifest.tensorsDigest,
    path,
    metrics,
    parent,
    attempt,
  };
}

/** An attempt of which nothing but its start is known. @param startedAt ISO 8601 */
export function startedAttempt(session: string, number: number, startedAt: string): AttemptRow {
  return {
    session,
    number,
    startedAt,
    endedAt: null,
    exitCode: null,
    signal: null,
    class: null,
    reason: null,
    evidence: null,
    resumedFromSequence: null,
    firstStep: null,
    lastStep: null,
    pid: null,
    groupPid: null,
    startTime: null,
    bootId: null,
  };
}
