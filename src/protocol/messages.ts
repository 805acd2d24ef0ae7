/**
 * Every message between supervisor and worker, as schemas; the types are inferred from them. NDJSON, one object a
 * line. Receivers validate; unknown types are ignored and unknown fields dropped, so either side may be newer.
 */
import type { Infer } from '../schema.ts';
import {
  cards,
  continueTraining,
  ended,
  pause,
  refused,
  release,
  resume,
  save,
  stop,
  throttle,
  welcome,
} from './supervisor-messages.ts';
import {
  acknowledged,
  diverged,
  done,
  drilled,
  hello,
  notice,
  phaseChanged,
  progress,
  restored,
  room,
  saved,
  saveFailed,
  saveStarted,
  unusable,
} from './worker-messages.ts';

export { MAX_LINE_BYTES, MAX_TEXT, PHASES, type Phase, PROTOCOL_VERSION } from './message-fields.ts';
export type { ResumePoint, SavePolicy } from './supervisor-messages.ts';

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
  throttle,
  cards,
  release,
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
