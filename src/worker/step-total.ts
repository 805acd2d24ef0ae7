/** How many steps the whole run will have; an estimate for percent and ETA. */
import type { Position } from './position.ts';

/**
 * From the epoch before where there was one, else from the batches of the present pass.
 * @param isScaled batches are smaller than the trainer asked for: the epoch before may have had larger and fewer of them
 * @returns null while either is unknown
 */
export function stepTotal(
  { step, epoch, stepsInEpoch, epochSteps }: Pick<Position, 'step' | 'epoch' | 'stepsInEpoch' | 'epochSteps'>,
  epochCount: number | null,
  batchesInPass: number | null,
  isScaled: boolean,
): number | null {
  const known = epochSteps ?? batchesInPass;
  const perEpoch = isScaled && known !== null ? Math.max(known, batchesInPass ?? 0) : known;
  if (epochCount === null || perEpoch === null) return null;
  const restOfEpoch = Math.max(0, perEpoch - stepsInEpoch);
  return epoch >= epochCount ? step : step + restOfEpoch + (epochCount - epoch - 1) * perEpoch;
}
