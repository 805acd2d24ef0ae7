/**
 * Every message between supervisor and worker, as schemas; the types are inferred from them. NDJSON, one object a
 * line. Receivers validate; unknown types are ignored and unknown fields dropped, so either side may be newer.
 */
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
  record,
  string,
} from '../schema.ts';

export const PROTOCOL_VERSION = 1;
/** Longest line in bytes, newline included; longer ones are reported and dropped. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** Longest free text (reasons, messages, paths) in UTF-16 units; senders shorten reasons and messages to it. */
export const MAX_TEXT = 16_384;
/** Longest trainer argument. Source: MAX_ARG_STRLEN of Linux, 32 pages of 4 KiB. */
const MAX_ARGUMENT = 131_072;

const v = literal(PROTOCOL_VERSION);
const count = integer(0);
const ms = number(0);
const text = string(MAX_TEXT);
const metrics = record(number(), 256);
const kinds = list(string(32, /^[a-z0-9-]{1,32}$/), 1, 16);

export const PHASES = ['load', 'compile', 'train', 'eval', 'save'] as const;
const phase = oneOf(PHASES);
export type Phase = Infer<typeof phase>;

/** A loss that JSON cannot carry. */
const notFinite = oneOf(['NaN', 'Infinity', '-Infinity']);

// ---- worker (or control client) to supervisor -----------------------------------------------------------------

export const hello = object({
  v,
  type: literal('hello'),
  /** `worker`: the training process; `control`: `save` and `stop` from another terminal. */
  role: oneOf(['worker', 'control']),
  token: string(256),
  session: string(256),
  attempt: count,
  pid: count,
  /** Name of the pid namespace that `pid` counts in, as Linux gives it; null: not known, or there are none here. */
  pidNamespace: nullable(string(64)),
  /** True when this worker had its welcome before, from an earlier supervisor or connection. */
  welcomed: boolean(),
  /** Claim that it commits under; null before the first welcome. */
  claim: nullable(count),
  step: count,
  epoch: count,
  phase,
  /** Sequence of its newest durable checkpoint; null: none yet in this launch. */
  lastSaved: nullable(count),
  /** Version of the SDK. */
  sdk: string(64),
});

/** Sent after `restore()`: training starts from here. `sequence` null: fresh. */
export const restored = object({
  v,
  type: literal('restored'),
  sequence: nullable(count),
  step: count,
  epoch: count,
  backend: nullable(string(64)),
  ms,
});

export const phaseChanged = object({ v, type: literal('phase'), phase });

const report = object({ percent: number(0, 100), stage: nullable(string(256)), results: metrics });

/** Coalesced by the SDK to at most two a second, and sent once a second while steps do not come. */
export const progress = object({
  v,
  type: literal('progress'),
  phase,
  epoch: count,
  epochs: nullable(count),
  step: count,
  totalSteps: nullable(count),
  percent: nullable(number(0, 100)),
  loss: nullable(number()),
  metrics,
  stepsPerSecond: nullable(number(0)),
  /** Best value so far of the metric that the best-model rule names. */
  best: nullable(object({ name: string(256), value: number() })),
  /** Age of the last beat of the training loop; the SDK's thread invents no beats. */
  lastStepAgeMs: ms,
  /** Periodic saves passed over because one was in flight. */
  skippedSaves: count,
  /** Why no steps are made, on purpose; null: they are. */
  waiting: nullable(oneOf(['space', 'pause'])),
  /** What `run.progress()` said last, of work that has no epochs; null: nothing. */
  report: nullable(report),
});

/** A save or stop request has reached the SDK's thread; the training loop will see it at its next step. */
export const acknowledged = object({
  v,
  type: literal('acknowledged'),
  request: string(64),
  lastStepAgeMs: ms,
});

export const saveStarted = object({
  v,
  type: literal('save-started'),
  request: nullable(string(64)),
  step: count,
  kinds,
  reason: nullable(text),
});

/** Sent twice for one commit: `durable` (survives a power cut), then `verified` (read back). */
export const saved = object({
  v,
  type: literal('saved'),
  state: oneOf(['durable', 'verified']),
  request: nullable(string(64)),
  sequence: count,
  step: count,
  epoch: count,
  kinds,
  reason: nullable(text),
  path: text,
  bytes: count,
  /** Digest of all tensors. */
  digest: string(64),
  metrics,
  parent: nullable(count),
  createdAt: string(64),
  /** Time taken from the training loop. */
  stallMs: ms,
  /** First byte to last directory sync. */
  writeMs: ms,
});

export const saveFailed = object({
  v,
  type: literal('save-failed'),
  request: nullable(string(64)),
  step: count,
  kinds,
  /** `no-space`, `fenced`, `io`, `read-back`, `superseded`, `state-not-serializable`... */
  code: string(64),
  message: text,
  /** What helps. */
  hint: nullable(text),
});

/**
 * The disk of the checkpoints takes no more saves (told once, and again rarely), or takes them again: told after the
 * first one that is durable.
 */
export const room = object({
  v,
  type: literal('room'),
  available: boolean(),
  /** What is wrong, or over, in words. */
  message: text,
  hint: nullable(text),
});

/** A checkpoint that failed while it was loaded; answered with a new `resume`. */
export const unusable = object({ v, type: literal('unusable'), sequence: count, path: text, reason: text });

export const diverged = object({ v, type: literal('diverged'), step: count, loss: notFinite, adapts: boolean() });

/** Sent after the final checkpoint is durable; the worker then exits 0. */
export const done = object({
  v,
  type: literal('done'),
  step: count,
  epoch: count,
  metrics,
  /** Sequence of the final checkpoint. */
  sequence: nullable(count),
});

/** A rehearsal has come as far as it was asked to; the worker then exits 0. `completed`: training had nothing left to do. */
export const drilled = object({
  v,
  type: literal('drilled'),
  step: count,
  epoch: count,
  loss: nullable(number()),
  completed: boolean(),
});

/** Words for the operator that are no event of their own. */
export const notice = object({
  v,
  type: literal('notice'),
  level: oneOf(['info', 'warning', 'error']),
  message: text,
});

// ---- supervisor to worker -------------------------------------------------------------------------------------

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
  trainer: nullable(
    object({ path: text, args: list(string(MAX_ARGUMENT), 0, 65_536), sourceDigest: nullable(string(64)) }),
  ),
  /**
   * A rehearsal: train to the boundary after so many steps (and, where `epoch` says which of those at the end of an epoch,
   * to that one), save there where that is asked, report `drilled`, exit 0. The directories are scratch folders.
   */
  drill: optional(object({ step: count, epoch: nullable(count), save: boolean() })),
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

/** What a worker or a control client may send. */
export const WORKER_MESSAGES = [
  hello,
  restored,
  phaseChanged,
  progress,
  acknowledged,
  saveStarted,
  saved,
  saveFailed,
  room,
  unusable,
  diverged,
  done,
  drilled,
  notice,
  save,
  stop,
] as const;
/** What a supervisor may send, to its worker or to a control client. */
export const SUPERVISOR_MESSAGES = [
  welcome,
  resume,
  save,
  stop,
  pause,
  continueTraining,
  refused,
  acknowledged,
  saved,
  saveFailed,
  ended,
] as const;

export type WorkerMessage = Infer<(typeof WORKER_MESSAGES)[number]>;
export type SupervisorMessage = Infer<(typeof SUPERVISOR_MESSAGES)[number]>;
export type MessageOf<M extends { type: string }, T extends M['type']> = Extract<M, { type: T }>;

/** Environment of a worker. */
export const ENVIRONMENT = {
  socket: 'NKAT_SOCKET',
  token: 'NKAT_TOKEN',
  session: 'NKAT_SESSION',
  attempt: 'NKAT_ATTEMPT',
  checkpointDirectory: 'NKAT_CHECKPOINT_DIR',
} as const;
