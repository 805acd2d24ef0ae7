/** When silence of the training loop counts as a hang (design section 3, "Hang detection"). */
import type { CardLoad } from '../../gpu/policy/card-load.ts';
import type { Phase } from '../../protocol/messages.ts';

export interface Beat {
  readonly phase: Phase;
  /** Supervisor time of the last beat: a step, a change of phase, or the connection itself. */
  readonly atMs: number;
  readonly step: number;
  /** Exponentially smoothed time between steps; null before the second step of this attempt. */
  readonly smoothedStepMs: number | null;
  /** What the cards of this training do; missing: not known, or it uses none. */
  readonly load?: CardLoad;
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
  return { ...beat, phase, atMs, step, smoothedStepMs };
}

export function beatOfPhase(beat: Beat, phase: Phase, nowMs: number): Beat {
  return { ...beat, phase, atMs: nowMs };
}

/** No step and a card at work: a long step, a compilation. */
const BUSY_FACTOR = 3;
/** No step and a card that rests, although this training uses it: whatever it waits for will hardly come. */
const IDLE_FACTOR = 0.5;

/** Longest silence allowed now, in milliseconds; before the second step the limit of slow phases holds. */
export function silenceLimitMs(beat: Beat, settings: HangSettings): number {
  const busy = beat.load === 'busy' ? BUSY_FACTOR : 1;
  if (beat.phase !== 'train' || beat.smoothedStepMs === null) {
    return busy * Math.max(settings.otherMs, settings.trainMs);
  }
  const least = beat.load === 'idle' ? IDLE_FACTOR * settings.trainMs : settings.trainMs;
  return busy * Math.max(least, STEPS_OF_SILENCE * beat.smoothedStepMs);
}
