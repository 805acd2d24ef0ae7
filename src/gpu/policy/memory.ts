/** The memory of a card, nearly used up: a warning first, then a save and a request to the trainer to free what it can. Pure. */
import type { CardDecision, Decided } from './card-decision.ts';
import type { CardProfile } from './card-profile.ts';

export interface MemoryState {
  readonly warned: boolean;
  /** When the trainer was asked last; null: not since it was well. */
  readonly actedMs: number | null;
}

export const MEMORY_WELL: MemoryState = { warned: false, actedMs: null };

const WARN_SHARE = 0.9;
const ACT_SHARE = 0.95;
/** Of the limit, below the warning, until it ends. */
const GAP_SHARE = 0.03;
/** It is asked again after so long, while there is no less. */
const AGAIN_MS = 300_000;

export function decideMemory(
  state: MemoryState,
  { usedMib, totalMib }: { readonly usedMib: number | null; readonly totalMib: number | null },
  nowMs: number,
  { profile, card }: { readonly profile: CardProfile | null; readonly card: string },
): Decided<MemoryState> {
  const limitMib = profile === null ? totalMib : Math.min(profile.memoryMib, totalMib ?? profile.memoryMib);
  if (usedMib === null || limitMib === null || limitMib <= 0) return { state, decisions: [] };
  const warnMib = profile === null ? limitMib * WARN_SHARE : limitMib - profile.memoryReserveMib;
  const numbers = `${Math.round(usedMib)} of ${Math.round(limitMib)} MiB (${Math.floor((100 * usedMib) / limitMib)} %)`;
  const decisions: CardDecision[] = [];
  let next = state;
  if (!state.warned && usedMib >= warnMib) {
    const message = `${card} has little memory left: ${numbers} in use`;
    const hint = 'Use smaller batches, or end what else uses the card: nkat-recover gpu shows who holds it.';
    decisions.push({ type: 'warn', code: 'gpu-memory', message, hint });
    next = { ...next, warned: true };
  }
  if (usedMib >= limitMib * ACT_SHARE && (state.actedMs === null || nowMs - state.actedMs >= AGAIN_MS)) {
    const reason = `${card}: ${numbers} of its memory in use`;
    decisions.push({ type: 'save', isEmergency: false, reason }, { type: 'release', reason });
    next = { ...next, actedMs: nowMs };
  }
  if (state.warned && usedMib < warnMib - limitMib * GAP_SHARE) {
    decisions.push({ type: 'warned', code: 'gpu-memory', message: `${card} has memory again: ${numbers} in use` });
    next = MEMORY_WELL;
  }
  return { state: next, decisions };
}
