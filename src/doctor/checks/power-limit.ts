/** A power limit below the card's own default makes it slower; above it, hotter. */
import type { CardInventory } from '../../gpu/inventory.ts';
import type { GpuSample } from '../../gpu/sample.ts';
import { type Finding, note, ok, warning } from '../finding.ts';

/** Drivers round to whole watts in one place and not in another. */
const SAME_W = 1;

export function checkPowerLimit({ values }: GpuSample, inventory: CardInventory | null): Finding[] {
  const { index, powerLimitW: limitW } = values;
  const defaultW = inventory?.powerDefaultW ?? null;
  if (limitW === null || defaultW === null) return [];
  const card = `GPU ${index ?? '?'}`;
  const mend = `sudo nvidia-smi -i ${index ?? '<index>'} -pl ${Math.round(defaultW)}`;
  const is = `the power limit is ${watts(limitW)}, its default is ${watts(defaultW)}`;
  if (limitW < defaultW - SAME_W) return [warning('power-limit', `${card}: ${is}: it computes slower.`, mend)];
  if (limitW > defaultW + SAME_W) return [note('power-limit', `${card}: ${is}: it runs hotter.`, mend)];
  return [ok('power-limit', `${card}: ${watts(limitW)}, its default`)];
}

function watts(value: number): string {
  return `${Math.round(value)} W`;
}
