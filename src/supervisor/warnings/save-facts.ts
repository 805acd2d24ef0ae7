/** What the warnings about saves are judged by, gathered from the events of the run. Monotonic times in milliseconds. */
import type { SupervisorEvent } from '../events.ts';
import { progressOf } from '../machine/restart-policy.ts';

export interface SaveWatchFacts {
  /** Since when the present worker trains; null: none does. */
  readonly trainingSinceMs: number | null;
  /** When this worker's newest checkpoint became durable; null: none yet. */
  readonly lastDurableMs: number | null;
  /** Since when a save is in flight; null: none is. */
  readonly savingSinceMs: number | null;
  /** Request to durable, of the newest save; null: none yet. */
  readonly lastSaveTookMs: number | null;
  readonly lastSaveBytes: number | null;
  readonly lastFailure: { readonly code: string; readonly message: string } | null;
  readonly skippedSaves: number;
  /** When a save was skipped last; null: none was. */
  readonly skippedAtMs: number | null;
  readonly stepsPerSecond: number | null;
  readonly step: number;
  readonly totalSteps: number | null;
  /** When the newest step was heard of; null: none was. */
  readonly steppedAtMs: number | null;
  /** Longest time between two steps that was seen; 0: none yet. */
  readonly longestGapMs: number;
  readonly phase: string;
  /** A stop was asked for: no more steps will come. */
  readonly stopping: boolean;
  /** Training waits on purpose. */
  readonly waiting: boolean;
  /** The disk is known, and told, to be full. */
  readonly diskFull: boolean;
  readonly workerPid: number | null;
  /** Since when a launched worker has not connected; null: none is awaited. */
  readonly awaitedSinceMs: number | null;
  /** Attempts in a row that came further only by the save of their own crash. */
  readonly crashSaves: number;
}

export const NO_FACTS: SaveWatchFacts = {
  trainingSinceMs: null,
  lastDurableMs: null,
  savingSinceMs: null,
  lastSaveTookMs: null,
  lastSaveBytes: null,
  lastFailure: null,
  skippedSaves: 0,
  skippedAtMs: null,
  stepsPerSecond: null,
  step: 0,
  totalSteps: null,
  steppedAtMs: null,
  longestGapMs: 0,
  phase: 'load',
  stopping: false,
  waiting: false,
  diskFull: false,
  workerPid: null,
  awaitedSinceMs: null,
  crashSaves: 0,
};

/** The facts after one more event. */
export function afterEvent(facts: SaveWatchFacts, event: SupervisorEvent, nowMs: number): SaveWatchFacts {
  switch (event.name) {
    case 'attempt-started':
      return { ...facts, awaitedSinceMs: nowMs };
    case 'worker-connected':
      return {
        ...facts,
        workerPid: event.pid,
        awaitedSinceMs: null,
        trainingSinceMs: event.adopted ? nowMs : facts.trainingSinceMs,
      };
    case 'training-started':
      return { ...facts, trainingSinceMs: nowMs, skippedSaves: 0 };
    case 'worker-ended':
      return {
        ...NO_FACTS,
        lastSaveBytes: facts.lastSaveBytes,
        lastSaveTookMs: facts.lastSaveTookMs,
        crashSaves: facts.crashSaves,
      };
    case 'restart-planned':
      return { ...facts, crashSaves: event.crashSaves ?? 0 };
    case 'checkpoint-verified':
      return progressOf(event.kinds) === 'regular' ? { ...facts, crashSaves: 0 } : facts;
    case 'save-started':
      return { ...facts, savingSinceMs: facts.savingSinceMs ?? nowMs };
    case 'saved':
      return {
        ...facts,
        savingSinceMs: null,
        lastDurableMs: nowMs,
        lastFailure: null,
        lastSaveTookMs: event.stallMs + event.writeMs,
        lastSaveBytes: event.bytes,
      };
    case 'save-failed':
      return { ...facts, savingSinceMs: null, lastFailure: { code: event.code, message: event.message } };
    case 'stop-requested':
      return { ...facts, stopping: true };
    case 'warning':
      return event.code === 'disk-full' ? { ...facts, diskFull: true } : facts;
    case 'warning-ended':
      return event.code === 'disk-full' ? { ...facts, diskFull: false } : facts;
    case 'progress':
      return {
        ...facts,
        ...stepped(facts, event.step, nowMs),
        totalSteps: event.totalSteps,
        stepsPerSecond: event.stepsPerSecond,
        phase: event.phase,
        waiting: event.waiting !== null,
        skippedSaves: event.skippedSaves,
        skippedAtMs: event.skippedSaves > facts.skippedSaves ? nowMs : facts.skippedAtMs,
      };
    default:
      return facts;
  }
}

function stepped(
  { step: before, steppedAtMs, longestGapMs }: SaveWatchFacts,
  step: number,
  nowMs: number,
): Pick<SaveWatchFacts, 'step' | 'steppedAtMs' | 'longestGapMs'> {
  if (steppedAtMs !== null && step <= before) return { step, steppedAtMs, longestGapMs };
  return { step, steppedAtMs: nowMs, longestGapMs: Math.max(longestGapMs, nowMs - (steppedAtMs ?? nowMs)) };
}

/** Milliseconds to the end of the run at the present rate; null: not known. */
export function remainingMs({ totalSteps, step, stepsPerSecond }: SaveWatchFacts): number | null {
  if (totalSteps === null || stepsPerSecond === null || stepsPerSecond <= 0) return null;
  return (Math.max(0, totalSteps - step) / stepsPerSecond) * 1_000;
}
