/**
 * Every message between supervisor and worker, as schemas; the types are inferred from them. NDJSON, one object a
 * line. Receivers validate; unknown types are ignored and unknown fields dropped, so either side may be newer.
 */
import { z } from 'zod';

export const PROTOCOL_VERSION = 1;
/** Longest line in bytes, newline included; longer ones are reported and dropped. */
export const MAX_LINE_BYTES = 1024 * 1024;

const v = z.literal(PROTOCOL_VERSION);
const count = z.int().min(0);
const ms = z.number().min(0);
const text = z.string().max(16_384);
const metrics = z.record(z.string().max(256), z.number());
const kinds = z
  .array(z.string().regex(/^[a-z0-9-]{1,32}$/))
  .min(1)
  .max(16);

export const PHASES = ['load', 'compile', 'train', 'eval', 'save'] as const;
const phase = z.enum(PHASES);
export type Phase = z.infer<typeof phase>;

/** A loss that JSON cannot carry. */
const notFinite = z.enum(['NaN', 'Infinity', '-Infinity']);

// ---- worker (or control client) to supervisor -----------------------------------------------------------------

export const hello = z.object({
  v,
  type: z.literal('hello'),
  /** `worker`: the training process; `control`: `save` and `stop` from another terminal. */
  role: z.enum(['worker', 'control']),
  token: z.string().max(256),
  session: z.string().max(256),
  attempt: count,
  pid: count,
  /** True when this worker had its welcome before, from an earlier supervisor or connection. */
  welcomed: z.boolean(),
  /** Claim that it commits under; null before the first welcome. */
  claim: count.nullable(),
  step: count,
  epoch: count,
  phase,
  /** Sequence of its newest durable checkpoint; null: none yet in this launch. */
  lastSaved: count.nullable(),
  /** Version of the SDK. */
  sdk: z.string().max(64),
});

/** Sent after `restore()`: training starts from here. `sequence` null: fresh. */
export const restored = z.object({
  v,
  type: z.literal('restored'),
  sequence: count.nullable(),
  step: count,
  epoch: count,
  backend: z.string().max(64).nullable(),
  ms,
});

export const phaseChanged = z.object({ v, type: z.literal('phase'), phase });

/** Coalesced by the SDK to at most two a second, and sent once a second while steps do not come. */
export const progress = z.object({
  v,
  type: z.literal('progress'),
  phase,
  epoch: count,
  epochs: count.nullable(),
  step: count,
  totalSteps: count.nullable(),
  percent: z.number().min(0).max(100).nullable(),
  loss: z.number().nullable(),
  metrics,
  stepsPerSecond: z.number().min(0).nullable(),
  /** Age of the last beat of the training loop; the SDK's thread invents no beats. */
  lastStepAgeMs: ms,
  /** Periodic saves passed over because one was in flight. */
  skippedSaves: count,
});

/** A save or stop request has reached the SDK's thread; the training loop will see it at its next step. */
export const acknowledged = z.object({
  v,
  type: z.literal('acknowledged'),
  request: z.string().max(64),
  lastStepAgeMs: ms,
});

export const saveStarted = z.object({
  v,
  type: z.literal('save-started'),
  request: z.string().max(64).nullable(),
  step: count,
  kinds,
  reason: text.nullable(),
});

/** Sent twice for one commit: `durable` (survives a power cut), then `verified` (read back). */
export const saved = z.object({
  v,
  type: z.literal('saved'),
  state: z.enum(['durable', 'verified']),
  request: z.string().max(64).nullable(),
  sequence: count,
  step: count,
  epoch: count,
  kinds,
  reason: text.nullable(),
  path: text,
  bytes: count,
  /** Digest of all tensors. */
  digest: z.string().max(64),
  metrics,
  parent: count.nullable(),
  createdAt: z.string().max(64),
  /** Time taken from the training loop. */
  stallMs: ms,
  /** First byte to last directory sync. */
  writeMs: ms,
});

export const saveFailed = z.object({
  v,
  type: z.literal('save-failed'),
  request: z.string().max(64).nullable(),
  step: count,
  kinds,
  /** `no-space`, `fenced`, `io`, `read-back`, `superseded`, `state-not-serializable`... */
  code: z.string().max(64),
  message: text,
});

/** A checkpoint that failed while it was loaded; answered with a new `resume`. */
export const unusable = z.object({ v, type: z.literal('unusable'), sequence: count, path: text, reason: text });

export const diverged = z.object({ v, type: z.literal('diverged'), step: count, loss: notFinite, adapts: z.boolean() });

/** Sent after the final checkpoint is durable; the worker then exits 0. */
export const done = z.object({
  v,
  type: z.literal('done'),
  step: count,
  epoch: count,
  metrics,
  /** Sequence of the final checkpoint. */
  sequence: count.nullable(),
});

/** Words for the operator that are no event of their own. */
export const notice = z.object({
  v,
  type: z.literal('notice'),
  level: z.enum(['info', 'warning', 'error']),
  message: text,
});

// ---- supervisor to worker -------------------------------------------------------------------------------------

const savePolicy = z.object({
  /** `auto`, or milliseconds between periodic saves; null: not by time. */
  every: z.union([z.literal('auto'), ms, z.null()]),
  everySteps: count.nullable(),
  everyEpochs: count.nullable(),
  /** Share of training time that `auto` may take, 0.005 for 0.5 %. */
  overhead: z.number().min(0).max(1),
  keep: z.int().min(1),
  maxBytes: count.nullable(),
  /** Best-model rule; null: none unless the trainer names one. */
  best: z.object({ metric: z.string().max(256), mode: z.enum(['min', 'max']) }).nullable(),
});
export type SavePolicy = z.infer<typeof savePolicy>;

const resumePoint = z.object({ sequence: count, path: text, step: count, epoch: count });
export type ResumePoint = z.infer<typeof resumePoint>;

/** Alone names the resume point. To a worker that was welcomed before it only carries the new claim. */
export const welcome = z.object({
  v,
  type: z.literal('welcome'),
  session: z.string().max(256),
  attempt: count,
  claim: count,
  /** The session's checkpoint directory. */
  directory: text,
  /** The session's folder for best-model backups. */
  backups: text,
  resume: resumePoint.nullable(),
  policy: savePolicy,
  requireGpu: z.boolean(),
  trainer: z.object({ path: text, args: z.array(text), sourceDigest: z.string().nullable() }).nullable(),
});

/** The answer to `unusable`. `resume` null: nothing else verifies; the worker exits 75 and the supervisor decides. */
export const resume = z.object({ v, type: z.literal('resume'), resume: resumePoint.nullable() });

/** Asks for a save at the next step boundary. A `control` client may send it too. */
export const save = z.object({
  v,
  type: z.literal('save'),
  request: z.string().max(64),
  kinds,
  reason: text.nullable(),
});

/** Asks for an emergency save and exit 75. */
export const stop = z.object({
  v,
  type: z.literal('stop'),
  request: z.string().max(64),
  reason: text.nullable(),
  deadlineMs: ms,
});

export const pause = z.object({ v, type: z.literal('pause'), reason: text.nullable() });
export const continueTraining = z.object({ v, type: z.literal('continue') });

/** The connection is not accepted: wrong token, other session, a worker that is fenced. It closes after this. */
export const refused = z.object({
  v,
  type: z.literal('refused'),
  code: z.enum(['token', 'session', 'fenced', 'protocol']),
  message: text,
});

export const workerMessage = z.discriminatedUnion('type', [
  hello,
  restored,
  phaseChanged,
  progress,
  acknowledged,
  saveStarted,
  saved,
  saveFailed,
  unusable,
  diverged,
  done,
  notice,
  save,
  stop,
]);
export const supervisorMessage = z.discriminatedUnion('type', [
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
]);

export type WorkerMessage = z.infer<typeof workerMessage>;
export type SupervisorMessage = z.infer<typeof supervisorMessage>;
export type MessageOf<M extends { type: string }, T extends M['type']> = Extract<M, { type: T }>;

/** Environment of a worker. */
export const ENVIRONMENT = {
  socket: 'NKAT_SOCKET',
  token: 'NKAT_TOKEN',
  session: 'NKAT_SESSION',
  attempt: 'NKAT_ATTEMPT',
  checkpointDirectory: 'NKAT_CHECKPOINT_DIR',
} as const;
