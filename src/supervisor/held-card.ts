/** A card that the worker may use: its newest row, what the policies remember of it, and whether a launch may follow. */
import { LOAD_UNKNOWN, type LoadState } from '../gpu/policy/card-load.ts';
import type { CardLoss } from '../gpu/policy/card-loss.ts';
import { type CardFacts, type CardPolicyState, isFitByHeat } from '../gpu/policy/card-policy.ts';
import type { CardNeed } from './machine/effect.ts';

export interface Held {
  readonly key: string;
  readonly busId: string | null;
  readonly facts: CardFacts;
  readonly state: CardPolicyState;
  readonly readMs: number;
  /** What its newest row says against it; null: nothing. */
  readonly loss: CardLoss | null;
  /** Rows in a row without anything against it, since a launch waits for that. */
  readonly healthyRows: number;
  readonly load: LoadState;
  readonly memoryUsedMib: number | null;
  /** The same when the newest worker was launched: not its own. */
  readonly memoryBeforeMib: number | null;
}

/** A card without a row for so long, while others have some, is as good as lost. */
export const FRESH_MS = 5_000;
/** So many healthy rows, and a launch may follow. */
const HEALTHY_ROWS = 3;
/** Memory of a dead worker is free again up to this, which others may have taken meanwhile. */
const FREED_WITHIN_MIB = 256;

export const UNREAD = {
  busId: null,
  readMs: 0,
  loss: null,
  healthyRows: 0,
  load: LOAD_UNKNOWN,
  memoryUsedMib: null,
  memoryBeforeMib: null,
} as const;

export const NEEDS: Readonly<Record<CardNeed, string>> = {
  cool: 'until it is cool',
  healthy: 'until it is healthy',
  memory: 'until the memory of the dead worker is free',
};

export const READY: Readonly<Record<CardNeed, string>> = {
  cool: 'it is cool enough',
  healthy: 'it is healthy again',
  memory: 'its memory is free again',
};

export function fits(held: Held, need: 'cool' | 'memory', sinceMs: number): boolean {
  if (need === 'cool') return isFitByHeat(held.state, held.facts);
  // An older row still counts the worker.
  if (held.readMs <= sinceMs) return false;
  const { memoryUsedMib, memoryBeforeMib } = held;
  return memoryUsedMib === null || memoryBeforeMib === null || memoryUsedMib <= memoryBeforeMib + FREED_WITHIN_MIB;
}

/** Healthy for long enough, and still telling so. */
export function isHealthy({ healthyRows, readMs }: Held, nowMs: number): boolean {
  return healthyRows >= HEALTHY_ROWS && nowMs - readMs <= FRESH_MS;
}
