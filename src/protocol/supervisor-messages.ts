/** What a supervisor says to its worker or to a control client; `save` and `stop` come from a control client too. */
import {
  boolean,
  either,
  type Infer,
  integer,
  list,
  literal,
  nullable,
  number,
  object,
  oneOf,
  optional,
  string,
} from '../schema.ts';
import { count, kinds, ms, text, v } from './message-fields.ts';

/** Longest trainer argument. Source: MAX_ARG_STRLEN of Linux, 32 pages of 4 KiB. */
const MAX_ARGUMENT = 131_072;

const savePolicy = object({
  /** `auto`, or milliseconds between periodic saves; null: not by time. */
  every: nullable(either(literal('auto'), ms)),
  everySteps: nullable(count),
  everyEpochs: nullable(count),
  /** Share of training time that `auto` may take, 0.005 for 0.5 %. */
  overhead: number(0, 1),
  /** False: training waits until a save is durable. Null: saves are written while it goes on. */
  asyncSave: nullable(boolean()),
  keep: integer(1),
  maxBytes: nullable(count),
  /** Best-model rule; null: none unless the trainer names one. */
  best: nullable(object({ metric: string(256), mode: oneOf(['min', 'max']) })),
  /** What training does while its checkpoints find no room; null: it goes on. */
  onFullDisk: nullable(oneOf(['continue', 'pause'])),
  /** By how much a metric must beat the best so far; null: whatever the trainer says. */
  bestMinDelta: nullable(number(0)),
});
export type SavePolicy = Infer<typeof savePolicy>;

const resumePoint = object({ sequence: count, path: text, step: count, epoch: count });
export type ResumePoint = Infer<typeof resumePoint>;

/** Alone names the resume point. To a worker that was welcomed before it only carries the new claim. */
export const welcome = object({
  v,
  type: literal('welcome'),
  session: string(256),
  attempt: count,
  claim: count,
  /** The session's checkpoint directory. */
  directory: text,
  /** The session's folder for best-model backups. */
  backups: text,
  resume: nullable(resumePoint),
  policy: savePolicy,
  /** True to a worker that was welcomed before: a command that asks for one thing; only the claim counts. */
  keepPolicy: nullable(boolean()),
  /** How long the worker trains on when this supervisor is gone; null: for ever. */
  orphanLimitMs: nullable(ms),
  requireGpu: boolean(),
  /** What a trainer that adapts multiplies its learning rate with, after divergences; null: 1. */
  learningRateScale: nullable(number(0, 1)),
  /** What a trainer that takes smaller batches multiplies their size with, after a card's memory was full; missing: 1. */
  batchScale: optional(number(0, 1)),
  trainer: nullable(
    object({ path: text, args: list(string(MAX_ARGUMENT), 0, 65_536), sourceDigest: nullable(string(64)) }),
  ),
  /**
   * A rehearsal: train to the boundary after so many steps (and, where `epoch` says which of those at the end of an epoch,
   * to that one), save there where that is asked (first on a disk that is full, where `fullDisk`), report `drilled`, exit 0. The directories are scratch folders.
   */
  drill: optional(object({ step: count, epoch: nullable(count), save: boolean(), fullDisk: optional(boolean()) })),
});

/** The answer to `unusable`. `resume` null: nothing else verifies; the worker exits 75 and the supervisor decides. */
export const resume = object({ v, type: literal('resume'), resume: nullable(resumePoint) });

/** Asks for a save at the next step boundary. A `control` client may send it too. */
export const save = object({
  v,
  type: literal('save'),
  request: string(64),
  kinds,
  reason: nullable(text),
});

/** Asks for an emergency save and exit 75. */
export const stop = object({
  v,
  type: literal('stop'),
  request: string(64),
  reason: nullable(text),
  deadlineMs: ms,
});

export const pause = object({ v, type: literal('pause'), reason: nullable(text) });
export const continueTraining = object({ v, type: literal('continue') });

/**
 * Between its steps training stands still for this share of the time, 1: until it is told otherwise. Where nothing more is heard, for
 * `leaseMs` at most, so that a supervisor that dies slows nobody down for ever.
 */
export const throttle = object({
  v,
  type: literal('throttle'),
  share: number(0, 1),
  leaseMs: ms,
  reason: nullable(text),
});

/** The trainer is asked to free what memory it can: its `release` listeners are told at the next step. */
export const release = object({ v, type: literal('release'), reason: nullable(text) });

/** The cards that the worker may use, for its manifests; as soon as they are known, and again where they change. */
export const cards = object({ v, type: literal('cards'), gpu: nullable(text), driver: nullable(text) });

/** The connection is not accepted: wrong token, other session, a worker that is fenced. It closes after this. */
export const refused = object({
  v,
  type: literal('refused'),
  code: oneOf(['token', 'session', 'fenced', 'protocol']),
  message: text,
});

/** To control clients: the supervised session is over and recorded. Nothing more comes after it. */
export const ended = object({
  v,
  type: literal('ended'),
  outcome: string(64),
  reason: text,
  /** Newest checkpoint of this supervision; null: none was made. */
  sequence: nullable(count),
  step: nullable(count),
});
