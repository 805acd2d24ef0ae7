/** When a periodic save is due: pure functions of what was measured and of the monotonic time that the caller passes. */
import type { SavePolicy } from '../protocol/messages.ts';

/** Bounds of `auto`, in milliseconds: the least and the greatest time between two saves. */
export const AUTO_MIN_MS = 10_000;
export const AUTO_MAX_MS = 300_000;
/** What `auto` may write in a day, in bytes: a consumer SSD of 600 TBW lasts 8 years at this rate. */
export const DAILY_BYTES = 200e9;
const DAY_MS = 86_400_000;
/** Weight of the newest measurement in the smoothed stall. */
const NEWEST_WEIGHT = 0.5;

/** What the saves so far have cost; null: none was measured yet. */
export interface SaveCost {
  /** Smoothed time that one save takes from the training loop. */
  readonly stallMs: number | null;
  /** Bytes of the newest save. */
  readonly bytes: number | null;
}

export const NO_COST: SaveCost = { stallMs: null, bytes: null };

/** The cost after one more save. */
export function withMeasurement(cost: SaveCost, stallMs: number, bytes: number): SaveCost {
  const smoothed = cost.stallMs === null ? stallMs : cost.stallMs + NEWEST_WEIGHT * (stallMs - cost.stallMs);
  return { stallMs: smoothed, bytes };
}

/**
 * Milliseconds between two `auto` saves: so long that the measured stall stays under `overhead` of the training time,
 * clamped to 10 s..300 s. The daily budget of 200 GB is applied last and wins: a state of 1 GB is saved every 432 s.
 */
export function autoIntervalMs(cost: SaveCost, overhead: number): number {
  const byStall = overhead > 0 ? (cost.stallMs ?? 0) / overhead : AUTO_MAX_MS;
  const clamped = Math.min(AUTO_MAX_MS, Math.max(AUTO_MIN_MS, byStall));
  return Math.max(clamped, ((cost.bytes ?? 0) / DAILY_BYTES) * DAY_MS);
}

/** Milliseconds between two saves by time; null: not by time. */
export function intervalMs(policy: SavePolicy, cost: SaveCost): number | null {
  return policy.every === 'auto' ? autoIntervalMs(cost, policy.overhead) : policy.every;
}

/** Is a save due at this step boundary? `sinceLastMs` counts from the last periodic save that was begun or skipped. */
export function dueAtStep(policy: SavePolicy, cost: SaveCost, step: number, sinceLastMs: number): boolean {
  if (policy.everySteps !== null && policy.everySteps > 0 && step % policy.everySteps === 0) return true;
  const interval = intervalMs(policy, cost);
  return interval !== null && sinceLastMs >= interval;
}

/** Is a save due at the end of an epoch? `epochs` counts those completed. */
export function dueAtEpoch(policy: SavePolicy, epochs: number): boolean {
  return policy.everyEpochs !== null && policy.everyEpochs > 0 && epochs % policy.everyEpochs === 0;
}

/** What a step of any length may spend on the reading of a save, in milliseconds. */
export const USUAL_READ_MS = 4;

/** Milliseconds of reading that one step may spend on a save in flight: 4 ms, or 1 % of a long step. */
export function readBudgetMs(smoothedStepMs: number): number {
  return Math.max(USUAL_READ_MS, smoothedStepMs * 0.01);
}

/** Is `value` better than the best so far, by at least `minDelta`? Equal is not better, NaN never is. */
export function isBetter(value: number, best: number | null, mode: 'min' | 'max', minDelta = 0): boolean {
  if (Number.isNaN(value)) return false;
  if (best === null) return true;
  const gain = mode === 'max' ? value - best : best - value;
  return gain > 0 && gain >= minDelta;
}
