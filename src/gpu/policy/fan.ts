/** A fan that stands still, or does not follow a card that gets hot: a warning. Pure. The percentage is what the card asks for. */
import type { Decided } from './card-decision.ts';
import type { HeatLimits } from './heat-limits.ts';

export interface FanState {
  readonly percent: number | null;
  /** Since when it is the same, and how hot the card was then. */
  readonly sinceMs: number;
  readonly heat: number;
  readonly warned: boolean;
}

export const FAN_WELL: FanState = { percent: null, sinceMs: 0, heat: 0, warned: false };

/** Some fans take a while to start. */
const STILL_MS = 20_000;
/** A fan that is the same for so long while its card got so much hotter does not follow it. */
const STUCK_MS = 60_000;
const HOTTER_C = 5;
const WELL_C = 5;

export function decideFan(
  before: FanState,
  { percent, heat }: { readonly percent: number | null; readonly heat: number | null },
  nowMs: number,
  { limits, card }: { readonly limits: HeatLimits; readonly card: string },
): Decided<FanState> {
  // Cards that are cooled by their case have no fan.
  if (percent === null || heat === null) return { state: before, decisions: [] };
  const isSame = percent === before.percent;
  const state: FanState = isSame
    ? { ...before, heat: Math.min(before.heat, heat) }
    : { ...before, percent, sinceMs: nowMs, heat };
  const trouble = troubleOf(state, heat, nowMs, limits);
  if (!state.warned && trouble !== null) {
    const hint = 'Look whether it turns, and at its cable. Training is slowed down where the card gets too hot.';
    return {
      state: { ...state, warned: true },
      decisions: [{ type: 'warn', code: 'gpu-fan', message: `${card}: ${trouble}`, hint }],
    };
  }
  const isWell = percent > 0 && (!isSame || heat < limits.hold - WELL_C);
  if (!state.warned || !isWell) return { state, decisions: [] };
  const message = `${card}: its fan turns at ${percent} %`;
  return { state: { ...state, warned: false }, decisions: [{ type: 'warned', code: 'gpu-fan', message }] };
}

function troubleOf(
  { percent, sinceMs, heat: first }: FanState,
  heat: number,
  nowMs: number,
  limits: HeatLimits,
): string | null {
  const forMs = nowMs - sinceMs;
  const seconds = Math.round(forMs / 1_000);
  if (percent === 0 && heat >= limits.hold && forMs >= STILL_MS)
    return `its fan stands still for ${seconds} s, although it is hot`;
  const isStuck =
    percent !== null && percent < 100 && heat > limits.control && heat - first >= HOTTER_C && forMs >= STUCK_MS;
  return isStuck
    ? `its fan is at ${percent} % for ${seconds} s, although it got ${Math.round(heat - first)} C hotter`
    : null;
}
