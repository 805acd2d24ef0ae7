/** What a worker says to its supervisor; a control client says `hello` in the same way. */
import { boolean, literal, nullable, number, object, oneOf, optional, string } from '../schema.ts';
import { count, kinds, metrics, ms, phase, text, v, versions } from './message-fields.ts';

/** A loss that JSON cannot carry. */
const notFinite = oneOf(['NaN', 'Infinity', '-Infinity']);

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
  /** It takes smaller batches where a card's memory was full; missing: it does not say. */
  adaptsBatch: optional(boolean()),
  /** How many loader processes it keeps running; null or missing: it does not say. */
  loaders: optional(nullable(count)),
  /** Of the state that it has restored, as in `restored`; null or missing: not yet, or it does not say. */
  backend: optional(nullable(string(64))),
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
  /** Of the framework that trains here, as manifests name it; null: an SDK of an earlier release. */
  versions: nullable(versions),
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
  waiting: nullable(oneOf(['space', 'pause', 'heat'])),
  /** What `run.progress()` said last, of work that has no epochs; null: nothing. */
  report: nullable(report),
  /** Memory that the framework held after a step, bytes and counts by name; null or missing: it does not tell. */
  memory: optional(nullable(object({ step: count, figures: metrics }))),
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
