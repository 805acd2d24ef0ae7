/** Above which temperatures something is done: the card's own limits, unless a profile names others. Pure. */
import type { TemperatureLimits } from '../inventory.ts';
import type { GpuValues } from '../sample.ts';
import type { CardProfile } from './card-profile.ts';

/**
 * `hold` < `control` < `warn` < `emergency`. On the scale `degrees` they are degrees Celsius; on the scale `margin`, of cards that report
 * how much is left, degrees beyond the card's own limit: 0 is at it, below 0 cooler.
 */
export interface HeatLimits {
  readonly scale: 'degrees' | 'margin';
  /** Held while training is slowed down; once it is reached, one that stands still goes on. */
  readonly hold: number;
  /** Above it training is slowed down. */
  readonly control: number;
  /** Warns and saves. */
  readonly warn: number;
  /** Saves at once, and training stands still. */
  readonly emergency: number;
}

/** A card's own fans hold it at its target, give or take this: slowing down below would cost for nothing. */
const ABOVE_TARGET_C = 3;
/** Between two limits where the card names only one of them. */
const APART_C = 2;
/** Hold, below `control`, of a card that names no target. */
const BELOW_CONTROL_C = 5;

/** Null: the card names no limit, so nothing is done about its temperature. */
export function heatLimits(own: TemperatureLimits | null, profile: CardProfile | null): HeatLimits | null {
  if (profile !== null) {
    const { holdC, controlC, warnC, emergencyC } = profile;
    return { scale: 'degrees', hold: holdC, control: controlC, warn: warnC, emergency: emergencyC };
  }
  if (own === null) return null;
  const byMargin = ordered('margin', negated(own.maxOperatingMarginC), negated(own.slowdownMarginC), null);
  return byMargin ?? ordered('degrees', own.maxOperatingC, own.slowdownC, own.targetC);
}

/** How hot a card is on the scale of its limits; null: it does not tell. */
export function heatOf(values: GpuValues, { scale }: HeatLimits): number | null {
  return scale === 'degrees' ? values.temperatureC : negated(values.temperatureMarginC);
}

/** "85 C > 83 C", or the same for a card that reports margins. */
export function heatWords(heat: number, limit: number, { scale }: HeatLimits): string {
  const sign = heat > limit ? '>' : heat < limit ? '<' : '=';
  return scale === 'degrees'
    ? `${Math.round(heat)} C ${sign} ${limit} C`
    : `${Math.round(-heat)} C left ${sign === '=' ? '=' : sign === '>' ? '<' : '>'} ${-limit} C`;
}

function ordered(
  scale: HeatLimits['scale'],
  max: number | null,
  slowdown: number | null,
  target: number | null,
): HeatLimits | null {
  const emergency = slowdown ?? (max === null ? null : max + APART_C);
  if (emergency === null) return null;
  const warn = Math.min(max ?? emergency - APART_C, emergency - 1);
  const control = Math.min(target === null ? warn - APART_C : target + ABOVE_TARGET_C, warn - 1);
  const hold = Math.min(target ?? control - BELOW_CONTROL_C, control - APART_C);
  return { scale, hold, control, warn, emergency };
}

function negated(value: number | null): number | null {
  return value === null ? null : 0 - value;
}
