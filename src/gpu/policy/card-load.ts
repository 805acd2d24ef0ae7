/** Whether the card works: evidence for or against a hang of a worker that makes no steps. Pure. */

export type CardLoad = 'idle' | 'busy' | 'unknown';

export interface LoadState {
  /** It was at work while steps were made: this training uses it. */
  readonly isUsed: boolean;
  /** Since when it is idle, or at work; null: not known. */
  readonly idleSinceMs: number | null;
  readonly busySinceMs: number | null;
}

export const LOAD_UNKNOWN: LoadState = { isUsed: false, idleSinceMs: null, busySinceMs: null };

const BUSY_PERCENT = 10;
const IDLE_PERCENT = 2;
/** So long without a pause in it. */
const WHILE_MS = 10_000;

/** @param stepAgeMs how old the last step is; null: none was made yet */
export function noteLoad(
  before: LoadState,
  percent: number | null,
  nowMs: number,
  stepAgeMs: number | null,
): LoadState {
  if (percent === null) return { ...before, idleSinceMs: null, busySinceMs: null };
  const isTraining = stepAgeMs !== null && stepAgeMs < WHILE_MS;
  return {
    isUsed: before.isUsed || (isTraining && percent >= BUSY_PERCENT),
    idleSinceMs: percent <= IDLE_PERCENT ? (before.idleSinceMs ?? nowMs) : null,
    busySinceMs: percent >= BUSY_PERCENT ? (before.busySinceMs ?? nowMs) : null,
  };
}

/** Of all the cards of a worker together: one that works is enough. Cards that it does not use are no evidence. */
export function loadOf(states: readonly LoadState[], nowMs: number): CardLoad {
  const used = states.filter(({ isUsed }) => isUsed);
  const since = (atMs: number | null): boolean => atMs !== null && nowMs - atMs >= WHILE_MS;
  if (used.some(({ busySinceMs }) => since(busySinceMs))) return 'busy';
  return used.length > 0 && used.every(({ idleSinceMs }) => since(idleSinceMs)) ? 'idle' : 'unknown';
}
