/** All policies over one card put together: one reading in, all that is decided on it out. Pure. */
import type { GpuSample } from '../sample.ts';
import type { CardDecision, Decided } from './card-decision.ts';
import type { CardProfile } from './card-profile.ts';
import { decideFan, FAN_WELL, type FanState } from './fan.ts';
import { type HeatLimits, heatOf } from './heat-limits.ts';
import { decideMemory, MEMORY_WELL, type MemoryState } from './memory.ts';
import { decidePower, POWER_WELL, type PowerState } from './power.ts';
import { COOL, decideHeat, isCool, type ThermalState, untold, withNewWorker, withoutWorker } from './thermal.ts';

export interface CardPolicyState {
  readonly thermal: ThermalState;
  readonly memory: MemoryState;
  readonly power: PowerState;
  readonly fan: FanState;
}

export const NEW_CARD: CardPolicyState = { thermal: COOL, memory: MEMORY_WELL, power: POWER_WELL, fan: FAN_WELL };

export interface CardFacts {
  /** How it is called in words: `GPU 0`. */
  readonly card: string;
  /** Null: nothing is done about its temperature. */
  readonly heat: HeatLimits | null;
  /** Limits that a person chose; null: the card's own. */
  readonly profile: CardProfile | null;
}

export function decideCard(
  before: CardPolicyState,
  sample: GpuSample,
  nowMs: number,
  { card, heat, profile }: CardFacts,
): Decided<CardPolicyState> {
  const { values } = sample;
  const decisions: CardDecision[] = [];
  let state = before;
  if (heat !== null) {
    const thermal = decideHeat(state.thermal, heatOf(values, heat), nowMs, { limits: heat, card });
    state = { ...state, thermal: thermal.state };
    decisions.push(...thermal.decisions);
    const reading = { percent: values.fanPercent, heat: heatOf(values, heat) };
    const fan = decideFan(state.fan, reading, nowMs, { limits: heat, card });
    state = { ...state, fan: fan.state };
    decisions.push(...fan.decisions);
  }
  const { memoryUsedMib: usedMib, memoryTotalMib: totalMib, powerW, powerLimitW: ownLimitW } = values;
  const memory = decideMemory(state.memory, { usedMib, totalMib }, nowMs, { profile, card });
  const power = decidePower(state.power, { powerW, ownLimitW, profileW: profile?.powerW ?? null }, nowMs, card);
  state = { ...state, memory: memory.state, power: power.state };
  decisions.push(...memory.decisions, ...power.decisions);
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

/** The worker does not use this card: what was decided of it was not done. */
export function whenUnused(state: CardPolicyState): CardPolicyState {
  return { ...state, thermal: untold(state.thermal) };
}
