/** Scripted events of a run, for the tests of its rendering. */
import type { EventNamed, ProgressFacts, SaveFacts, Summary } from '../../../src/supervisor/events.ts';
import { FRESH_BUDGET } from '../../../src/words.ts';

export const SESSION = '20261122_120000_ab3d';

export const opened: EventNamed<'session-opened'> = {
  name: 'session-opened',
  session: SESSION,
  sessionName: 'night run',
  fresh: true,
  adopted: false,
  directory: '/runs/checkpoints',
  backups: '/runs/best',
  log: '/runs/log.txt',
  saving: 'auto (10 s to 300 s)',
  trainer: '/home/me/train.ts',
  budget: FRESH_BUDGET,
};

export const chosen: EventNamed<'checkpoint-chosen'> = {
  name: 'checkpoint-chosen',
  sequence: 12,
  step: 3201,
  epoch: 7,
  reason: 'the newest that verifies',
  candidates: [],
  stepsLost: 13,
  lostMs: 14_000,
};

export const started: EventNamed<'training-started'> = {
  name: 'training-started',
  attempt: 2,
  sequence: 12,
  step: 3201,
  epoch: 7,
  backend: 'wasm',
  restoreMs: 300,
};

export const killed: EventNamed<'worker-ended'> = {
  name: 'worker-ended',
  attempt: 1,
  class: 'killed',
  code: null,
  signal: 'SIGKILL',
  reason: 'the kernel recorded no lack of memory',
  lastLines: [],
  lastStep: 3214,
  budget: { ...FRESH_BUDGET, withoutProgress: 1, restarts: 1 },
};

export const progress: ProgressFacts = {
  phase: 'train',
  epoch: 3,
  epochs: 10,
  step: 1204,
  totalSteps: 4690,
  percent: 25.6,
  loss: 0.123456,
  metrics: {},
  stepsPerSecond: 85.25,
  bestMetric: null,
  skippedSaves: 0,
  waiting: null,
  lastDurableAt: '2026-11-22T12:00:00.000Z',
  lastDurableAgeMs: 12_000,
  attempt: 2,
};

export const saveFacts: SaveFacts = {
  sequence: 14,
  step: 3300,
  epoch: 7,
  kinds: ['auto'],
  reason: null,
  bytes: 4_200_000,
  digest: 'abcdef',
  path: '/runs/checkpoints/checkpoint_14',
  stallMs: 3,
  writeMs: 40,
};

export const summary: Summary = {
  trainedMs: 723_000,
  lostMs: 4_200,
  stepsLost: 13,
  workLostMs: 14_000,
  attempts: 3,
  attemptsByClass: { completed: 1, killed: 2 },
  saves: 14,
  failedSaves: 1,
  bestMetric: { name: 'accuracy', value: 0.9713 },
  digest: 'abcdef',
  lastCheckpoint: saveFacts,
};

export function ended(change: Partial<EventNamed<'session-ended'>>): EventNamed<'session-ended'> {
  return { name: 'session-ended', outcome: 'completed', reason: 'done', hint: null, lastLines: [], summary, ...change };
}

export const verifying: EventNamed<'checkpoint-verifying'> = {
  name: 'checkpoint-verifying',
  sequence: 12,
  step: 3200,
  readBytes: 3.1e9,
  totalBytes: 9.8e9,
  elapsedMs: 6_000,
};
