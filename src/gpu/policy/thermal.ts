/**
 * What is done about a hot card: slow training down, warn and save, let it stand still until the card is cool, and as the last resort stop
 * it. Pure; a median of three readings decides, so that one wrong reading does nothing.
 */
import type { CardDecision, Decided } from './card-decision.ts';
import { type Duty, NO_DUTY, stepDuty } from './duty-controller.ts';
import { type HeatLimits, heatWords } from './heat-limits.ts';

export interface ThermalState {
  readonly mode: 'free' | 'slowed' | 'standing' | 'stopped';
  /** Newest readings, newest last, at most three. */
  readonly recent: readonly number[];
  readonly atMs: number | null;
  readonly duty: Duty;
  /** What the worker was told last. */
  readonly toldShare: number;
  readonly warned: boolean;
  /** Of a worker that stands still: since when, and at which heat. */
  readonly stood: { readonly sinceMs: number; readonly heat: number } | null;
  /** Since when a slowed worker has needed no slowing; null: it does. */
  readonly easySinceMs: number | null;
}

export const COOL: ThermalState = {
  mode: 'free',
  recent: [],
  atMs: null,
  duty: NO_DUTY,
  toldShare: 0,
  warned: false,
  stood: null,
  easySinceMs: null,
};

/** Readings further apart do not belong together. */
const GAP_MS = 10_000;
/** A change of the share that is worth a message to the worker. */
const WORTH_TELLING = 0.03;
/** Full pace comes back after so long without any need to slow down. */
const EASY_MS = 30_000;
const NO_NEED = 0.01;
/** A warning ends so far below its limit. */
const WARN_GAP_C = 3;
/** A card gets warmer for a moment after its load is gone; past this it has to get cooler. */
const STILL_WARMING_MS = 15_000;
const RISING_C = 2;
/** So much hotter although nothing is computed: no need to wait any longer. */
const RISING_FAST_C = 5;
/** Where a worker that stood still begins. */
const AFTER_STANDING: Duty = { share: 0.5, integral: 0.5 };

/** @param card how it is called in words: `GPU 0` */
export function decideHeat(
  before: ThermalState,
  reading: number | null,
  nowMs: number,
  { limits, card }: { readonly limits: HeatLimits; readonly card: string },
): Decided<ThermalState> {
  if (reading === null) return { state: before, decisions: [] };
  const isNear = before.atMs !== null && nowMs - before.atMs <= GAP_MS;
  const recent = [...(isNear ? before.recent : []), reading].slice(-3);
  const elapsedS = isNear ? (nowMs - (before.atMs ?? nowMs)) / 1_000 : 0;
  const state = { ...before, recent, atMs: nowMs };
  const heat = median(recent);
  if (heat === null || state.mode === 'stopped') return { state, decisions: [] };
  const warning = decideWarning(state, heat, limits, card);
  const step = decidePace(warning.state, heat, elapsedS, nowMs, { limits, card });
  return { state: step.state, decisions: [...warning.decisions, ...step.decisions] };
}

/** Cool enough for a launch; false while nothing is known. */
export function isCool({ recent }: ThermalState, { hold }: HeatLimits): boolean {
  const heat = median(recent);
  return heat !== null && heat <= hold;
}

/** The worker has ended: nothing is asked of it any more, what the card shows is still noted. */
export function withoutWorker(state: ThermalState): ThermalState {
  const duty = state.mode === 'free' ? NO_DUTY : AFTER_STANDING;
  return { ...state, mode: 'stopped', duty, toldShare: 0, stood: null, easySinceMs: null };
}

/** Another worker begins on the same card: after one that had to be slowed down it begins slowly. */
export function withNewWorker(state: ThermalState): ThermalState {
  return { ...state, mode: state.duty.share > 0 ? 'slowed' : 'free' };
}

/** Nobody was told what was decided, and it is decided anew with the next reading. A warning stays told. */
export function untold(state: ThermalState): ThermalState {
  return { ...state, mode: 'free', duty: NO_DUTY, toldShare: 0, stood: null, easySinceMs: null };
}

function decideWarning(state: ThermalState, heat: number, limits: HeatLimits, card: string): Decided<ThermalState> {
  if (!state.warned && heat >= limits.warn) {
    const words = `${card} is hot: ${heatWords(heat, limits.warn, limits)}`;
    return {
      state: { ...state, warned: true },
      decisions: [
        {
          type: 'warn',
          code: 'gpu-hot',
          message: words,
          hint: 'Look at its fans, its dust filters and the air around the case. Training that uses it is slowed down meanwhile.',
        },
        { type: 'save', isEmergency: false, reason: words },
      ],
    };
  }
  if (!state.warned || heat > limits.warn - WARN_GAP_C) return { state, decisions: [] };
  const message = `${card} is cooler again: ${heatWords(heat, limits.warn, limits)}`;
  return { state: { ...state, warned: false }, decisions: [{ type: 'warned', code: 'gpu-hot', message }] };
}

interface Place {
  readonly limits: HeatLimits;
  readonly card: string;
}

function decidePace(
  state: ThermalState,
  heat: number,
  elapsedS: number,
  nowMs: number,
  place: Place,
): Decided<ThermalState> {
  const { limits } = place;
  if (state.mode === 'standing') return decideStanding(state, heat, nowMs, place);
  if (heat >= limits.emergency) return stand(state, heat, nowMs, place);
  if (state.mode === 'free' && heat <= limits.control) return { state, decisions: [] };
  const duty = stepDuty(state.duty, heat - limits.hold, elapsedS);
  const easySinceMs = duty.share <= NO_NEED && heat <= limits.hold ? (state.easySinceMs ?? nowMs) : null;
  if (easySinceMs !== null && nowMs - easySinceMs >= EASY_MS) {
    const free: ThermalState = { ...state, mode: 'free', duty: NO_DUTY, easySinceMs: null };
    return tell(free, 0, `${place.card} stays cool by itself: ${heatWords(heat, limits.hold, limits)}`);
  }
  const slowed: ThermalState = { ...state, mode: 'slowed', duty, easySinceMs };
  if (Math.abs(duty.share - state.toldShare) < WORTH_TELLING) return { state: slowed, decisions: [] };
  const words = `${place.card}: ${heatWords(heat, state.mode === 'free' ? limits.control : limits.hold, limits)}`;
  return tell(slowed, Math.round(duty.share * 100) / 100, words);
}

function stand(state: ThermalState, heat: number, nowMs: number, { limits, card }: Place): Decided<ThermalState> {
  const reason = `${card} is too hot: ${heatWords(heat, limits.emergency, limits)}`;
  const standing: ThermalState = { ...state, mode: 'standing', stood: { sinceMs: nowMs, heat }, easySinceMs: null };
  const told = tell(standing, 1, reason);
  return { state: told.state, decisions: [{ type: 'save', isEmergency: true, reason }, ...told.decisions] };
}

function decideStanding(
  state: ThermalState,
  heat: number,
  nowMs: number,
  { limits, card }: Place,
): Decided<ThermalState> {
  if (heat <= limits.hold) {
    const slowed: ThermalState = { ...state, mode: 'slowed', duty: AFTER_STANDING, stood: null };
    return tell(slowed, AFTER_STANDING.share, `${card} has cooled down: ${heatWords(heat, limits.hold, limits)}`);
  }
  const { sinceMs, heat: first } = state.stood ?? { sinceMs: nowMs, heat };
  const risen = heat - first;
  const isRising = risen >= RISING_FAST_C || (risen >= RISING_C && nowMs - sinceMs >= STILL_WARMING_MS);
  if (!isRising) return { state, decisions: [] };
  const words = heatWords(heat, limits.emergency, limits);
  const reason = `${card} gets hotter although training stands still: ${words}`;
  return { state: { ...state, mode: 'stopped' }, decisions: [{ type: 'stop', reason }] };
}

function tell(state: ThermalState, share: number, reason: string): Decided<ThermalState> {
  const decisions: CardDecision[] = share === state.toldShare ? [] : [{ type: 'throttle', share, reason }];
  return { state: { ...state, toldShare: share }, decisions };
}

/** Of two the lower, of one none: a card is not hot by one reading. */
function median(recent: readonly number[]): number | null {
  if (recent.length < 2) return null;
  const sorted = recent.toSorted((a, b) => a - b);
  return sorted[recent.length === 2 ? 0 : 1] ?? null;
}
