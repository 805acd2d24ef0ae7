/** Sessions, attempts and checkpoints as `--json` shows them: a stable contract, version 1. */
import type { AttemptRow, SessionRow } from '../../sessions/types.ts';
import type { Present } from '../session-state.ts';

/** What the tool restarted by itself; an operator's own resume is none. Older sessions counted only for the limit. */
export function restartsOf({ budget }: Pick<SessionRow, 'budget'>): number {
  return budget?.relaunches ?? budget?.restarts ?? 0;
}

export function sessionJson({ row, present }: { readonly row: SessionRow; readonly present: Present }) {
  return {
    id: row.id,
    name: row.name,
    state: present.state,
    trainer: row.trainer,
    args: row.args,
    cwd: row.cwd,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    attempts: row.attempts,
    restarts: restartsOf(row),
    epoch: row.epoch,
    step: row.step,
    totalSteps: row.totalSteps,
    loss: row.loss,
    percent: row.report?.percent ?? null,
    stage: row.report?.stage ?? null,
    results: row.report?.results ?? null,
    bestMetric: row.bestMetric,
    checkpoints: row.checkpoints,
    lastCheckpointAt: row.lastCheckpointAt,
    lastCheckpointStep: row.lastCheckpointStep,
    // A pid of the dead may belong to anyone by now.
    supervisorPid: present.ownerPid,
    workerPid: present.workerAlive ? row.workerPid : null,
  };
}

export function attemptJson(row: AttemptRow) {
  return {
    number: row.number,
    startedAt: row.startedAt,
    endedAt: row.endedAt,
    exitCode: row.exitCode,
    signal: row.signal,
    class: row.class,
    reason: row.reason,
    evidence: row.evidence,
    resumedFromSequence: row.resumedFromSequence,
    firstStep: row.firstStep,
    lastStep: row.lastStep,
  };
}
