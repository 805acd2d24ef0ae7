/** A card that the worker may use: its newest row, what the policies remember of it, and whether a launch may follow. */
import { faultsOf } from '../gpu/card-book.ts';
import { type CardInventory, cardOf } from '../gpu/inventory.ts';
import { LOAD_UNKNOWN, type LoadState, noteLoad } from '../gpu/policy/card-load.ts';
import { type CardLoss, lossOfFaults } from '../gpu/policy/card-loss.ts';
import { type CardFacts, type CardPolicyState, isFitByHeat, NEW_CARD } from '../gpu/policy/card-policy.ts';
import type { CardProfile } from '../gpu/policy/card-profile.ts';
import { heatLimits } from '../gpu/policy/heat-limits.ts';
import type { GpuSample } from '../gpu/sample.ts';
import type { SmiTrouble } from '../gpu/smi-trouble.ts';
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

const UNREAD = {
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

/** What a launch waits for. */
export interface Awaited {
  readonly need: CardNeed;
  readonly sinceMs: number;
}

export interface CardLimits {
  /** Limits that a person chose; null: the card's own. */
  readonly profile: CardProfile | null;
  /** The cards' own; empty until they are known. */
  readonly inventory: readonly CardInventory[];
}

/** A card that was never seen before. */
export function metCard(key: string, { values: { index, busId } }: GpuSample, limits: CardLimits): Held {
  const facts = { card: `GPU ${index ?? key}`, profile: limits.profile, heat: null };
  return withLimits({ key, facts, state: NEW_CARD, ...UNREAD, busId }, limits);
}

/** The same card, now that its own limits are known. */
export function withLimits(held: Held, { profile, inventory }: CardLimits): Held {
  const own = cardOf(inventory, held.key, held.busId)?.temperature ?? null;
  return { ...held, facts: { ...held.facts, heat: heatLimits(own, profile) } };
}

/** @param before with what the policies made of the row already */
export function withRow(before: Held, sample: GpuSample, nowMs: number, stepAgeMs: number | null): Held {
  const { busId, memoryUsedMib, utilizationPercent } = sample.values;
  const loss = lossOfFaults(before.facts.card, faultsOf(sample));
  return {
    ...before,
    busId: busId ?? before.busId,
    readMs: nowMs,
    loss,
    healthyRows: loss === null ? before.healthyRows + 1 : 0,
    memoryUsedMib,
    load: noteLoad(before.load, utilizationPercent, nowMs, stepAgeMs),
  };
}

/** @param trouble of nvidia-smi itself; null: none */
export function isReady(
  cards: readonly Held[],
  { need, sinceMs }: Awaited,
  trouble: SmiTrouble | null,
  nowMs: number,
): boolean {
  // A machine whose cards tell nothing has nothing to wait for, but for their health.
  if (need !== 'healthy') return cards.every((held) => fits(held, need, sinceMs));
  return cards.length > 0 && trouble === null && cards.every((held) => isHealthy(held, nowMs));
}

function fits(held: Held, need: 'cool' | 'memory', sinceMs: number): boolean {
  if (need === 'cool') return isFitByHeat(held.state, held.facts);
  // An older row still counts the worker.
  if (held.readMs <= sinceMs) return false;
  const { memoryUsedMib, memoryBeforeMib } = held;
  return memoryUsedMib === null || memoryBeforeMib === null || memoryUsedMib <= memoryBeforeMib + FREED_WITHIN_MIB;
}

/** Healthy for long enough, and still telling so. */
function isHealthy({ healthyRows, readMs }: Held, nowMs: number): boolean {
  return healthyRows >= HEALTHY_ROWS && nowMs - readMs <= FRESH_MS;
}
