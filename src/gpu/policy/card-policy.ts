/** All policies over one card put together: one reading in, all that is decided on it out. Pure. */
import type { GpuSample } from '../sample.ts';
import type { CardDecision, Decided } from './card-decision.ts';
import { type HeatLimits, heatOf } from './heat-limits.ts';
import { COOL, decideHeat, isCool, type ThermalState, withNewWorker, withoutWorker } from './thermal.ts';

export interface CardPolicyState {
  readonly thermal: ThermalState;
}

export const NEW_CARD: CardPolicyState = { thermal: COOL };

export interface CardFacts {
  /** How it is called in words: `GPU 0`. */
  readonly card: string;
  /** Null: nothing is done about its temperature. */
  readonly heat: HeatLimits | null;
}

export function decideCard(
  before: CardPolicyState,
  sample: GpuSample,
  nowMs: number,
  { card, heat }: CardFacts,
): Decided<CardPolicyState> {
  const decisions: CardDecision[] = [];
  let state = before;
  if (heat !== null) {
    const thermal = decideHeat(state.thermal, heatOf(sample.values, heat), nowMs, { limits: heat, card });
    state = { ...state, thermal: thermal.state };
    decisions.push(...thermal.decisions);
  }
  return { state, decisions };
}

/** Fit for a launch after one that was too hot. */
export function isFitByHeat({ thermal }: CardPolicyState, { heat }: CardFacts): boolean {
  return heat === null || isCool(thermal, heat);
}

export function whenWorkerEnded(state: CardPolicyState): CardPolicyState {
  return { ...state, thermal: withoutWorker(state.thermal) };
}

export function whenWorkerBegins(state: CardPolicyState): CardPolicyState {
  return { ...state, thermal: withNewWorker(state.thermal) };
}
