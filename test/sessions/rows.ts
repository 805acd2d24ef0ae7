/** Rows with every column filled, to be changed where a test cares. */
import type { AttemptRow, CheckpointRow, SaveRow, SessionRow } from '../../src/sessions/types.ts';

export function sessionRow(id: string, changes: Partial<SessionRow> = {}): SessionRow {
  return {
    id,
    name: null,
    state: 'running',
    trainer: '/work dir/train.ts',
    args: ['--epochs', '3', "it's ünïcode"],
    cwd: '/work dir',
    root: '/checkpoints',
    backups: '/backups',
    createdAt: '2026-11-22T12:00:00.000Z',
    updatedAt: '2026-11-22T12:00:00.000Z',
    attempts: 1,
    epoch: null,
    step: null,
    totalSteps: null,
    loss: null,
    bestMetric: null,
    report: null,
    checkpoints: 0,
    lastCheckpointAt: null,
    lastCheckpointStep: null,
    supervisorPid: 10,
    workerPid: null,
    sourceDigest: null,
    budget: null,
    ...changes,
  };
}

export function checkpointRow(session: string, sequence: number, changes: Partial<CheckpointRow> = {}): CheckpointRow {
  return {
    session,
    sequence,
    step: sequence * 100,
    epoch: sequence,
    kinds: ['auto', 'best'],
    reason: null,
    state: 'durable',
    bytes: 1_000_000,
    createdAt: `2026-11-22T12:${String(sequence % 60).padStart(2, '0')}:00.000Z`,
    digest: 'd'.repeat(32),
    path: `/checkpoints/${session}/checkpoint_${session}_${sequence * 100}_${sequence}`,
    metrics: { accuracy: 0.5, loss: 1.25 },
    parent: sequence === 1 ? null : sequence - 1,
    attempt: 1,
    ...changes,
  };
}

export function attemptRow(session: string, number: number, changes: Partial<AttemptRow> = {}): AttemptRow {
  return {
    session,
    number,
    startedAt: '2026-11-22T12:00:00.000Z',
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
    ...changes,
  };
}

export function saveRow(session: string, changes: Partial<SaveRow> = {}): SaveRow {
  return {
    session,
    at: '2026-11-22T12:00:00.000Z',
    attempt: 1,
    sequence: 1,
    step: 100,
    kinds: ['auto'],
    outcome: 'saved',
    bytes: 500,
    stallMs: 0.25,
    writeMs: 12,
    message: null,
    ...changes,
  };
}
