/** When silence of the training loop counts as a hang (design section 3, "Hang detection"). */
import type { Phase } from '../../protocol/messages.ts';

export interface Beat {
  readonly phase: Phase;
  /** Supervisor time of the last beat: a step, a change of phase, or the connection itself. */
  readonly atMs: number;
  readonly step: number;
  /** Exponentially smoothed time between steps; null before the second step of this attempt. */
  readonly smoothedStepMs: number | null;
}

export interface HangSettings {
  readonly trainMs: number;
  readonly otherMs: number;
}

/** Weight of the newest step time in the smoothed one. */
const SMOOTHING = 0.1;
/** Silence of this many smoothed steps is suspicious. */
const STEPS_OF_SILENCE = 10;

export function firstBeat(phase: Phase, step: number, nowMs: number): Beat {
  return { phase, atMs: nowMs, step, smoothedStepMs: null };
}

/** `lastStepAgeMs` was measured by the worker, so that a message that waited does not look like a fresh beat. */
export function beatOfProgress(beat: Beat, phase: Phase, step: number, lastStepAgeMs: number, nowMs: number): Beat {
  const atMs = Math.max(beat.atMs, nowMs - lastStepAgeMs);
  const steps = step - beat.step;
  // Without a step it may still have said that it lives: a phase that was entered anew, a pause that is over.
  if (steps <= 0) return { ...beat, phase, atMs };
  const perStepMs = (atMs - beat.atMs) / steps;
  const smoothedStepMs =
    beat.smoothedStepMs === null ? perStepMs : beat.smoothedStepMs + SMOOTHING * (perStepMs - beat.smoothedStepMs);
  return { phase, atMs, step, smoothedStepMs };
}

export function beatOfPhase(beat: Beat, phase: Phase, nowMs: number): Beat {
  return { ...beat, phase, atMs: nowMs };
}

/** Longest silence allowed now, in milliseconds; before the second step the limit of slow phases holds. */
export function silenceLimitMs(beat: Beat, settings: HangSettings): number {
  if (beat.phase !== 'train' || beat.smoothedStepMs === null) return Math.max(settings.otherMs, settings.trainMs);
  return Math.max(settings.trainMs, STEPS_OF_SILENCE * beat.smoothedStepMs);
}
