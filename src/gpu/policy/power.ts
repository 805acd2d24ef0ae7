/** A card that draws more than it may for a while: a warning and a save. Pure. */
import type { Decided } from './card-decision.ts';

export interface PowerState {
  /** Since when it draws too much, or after a warning little enough; null: it does not. */
  readonly sinceMs: number | null;
  readonly warned: boolean;
}

export const POWER_WELL: PowerState = { sinceMs: null, warned: false };

/** Shorter peaks are what a power supply is made for. */
const WHILE_MS = 10_000;
/** A card rides at its own limit, and its average may stand a little above. */
const OWN_SLACK = 1.05;
const WELL_SHARE = 0.97;

/** @param profileW limit that a person chose; null: the card's own */
export function decidePower(
  state: PowerState,
  {
    powerW,
    ownLimitW,
    profileW,
  }: { readonly powerW: number | null; readonly ownLimitW: number | null; readonly profileW: number | null },
  nowMs: number,
  card: string,
): Decided<PowerState> {
  const limitW = profileW ?? (ownLimitW === null ? null : ownLimitW * OWN_SLACK);
  if (powerW === null || limitW === null) return { state: { ...state, sinceMs: null }, decisions: [] };
  const isTurning = state.warned ? powerW <= limitW * WELL_SHARE : powerW > limitW;
  if (!isTurning) return { state: { ...state, sinceMs: null }, decisions: [] };
  const sinceMs = state.sinceMs ?? nowMs;
  if (nowMs - sinceMs < WHILE_MS) return { state: { ...state, sinceMs }, decisions: [] };
  const numbers = `${Math.round(powerW)} W ${state.warned ? '<' : '>'} ${Math.round(limitW)} W`;
  const next: PowerState = { sinceMs: null, warned: !state.warned };
  if (state.warned) {
    const message = `${card} draws no more than it may again: ${numbers}`;
    return { state: next, decisions: [{ type: 'warned', code: 'gpu-power', message }] };
  }
  const message = `${card} draws too much power: ${numbers} for ${WHILE_MS / 1_000} s`;
  return {
    state: next,
    decisions: [
      {
        type: 'warn',
        code: 'gpu-power',
        message,
        hint: `Set it lower: nvidia-smi -i <index> -pl ${Math.round(limitW)}`,
      },
      { type: 'save', isEmergency: false, reason: message },
    ],
  };
}
