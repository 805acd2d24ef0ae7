/** How many steps the whole run will have; an estimate for percent and ETA. */
import type { Position } from './position.ts';

/**
 * From the epoch before where there was one, else from the batches of the present pass.
 * @returns null while either is unknown
 */
export function stepTotal(
  { step, epoch, stepsInEpoch, epochSteps }: Pick<Position, 'step' | 'epoch' | 'stepsInEpoch' | 'epochSteps'>,
  epochCount: number | null,
  batchesInPass: number | null,
): number | null {
  const perEpoch = epochSteps ?? batchesInPass;
  if (epochCount === null || perEpoch === null) return null;
  const restOfEpoch = Math.max(0, perEpoch - stepsInEpoch);
  return epoch >= epochCount ? step : step + restOfEpoch + (epochCount - epoch - 1) * perEpoch;
}
