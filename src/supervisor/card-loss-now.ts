/** What is wrong with a worker's cards now, by their rows and by nvidia-smi itself. Pure. */
import { type CardLoss, lossOfFaults, lossOfTrouble } from '../gpu/policy/card-loss.ts';
import type { SmiTrouble } from '../gpu/smi-trouble.ts';
import { FRESH_MS, type Held } from './held-card.ts';

/** Null: nothing that anybody knows. */
export function lossNow(cards: readonly Held[], trouble: SmiTrouble | null): CardLoss | null {
  const seen = cards.find(({ loss }) => loss !== null)?.loss ?? null;
  if (seen !== null) return seen;
  const newestMs = Math.max(...cards.map(({ readMs }) => readMs));
  const missing = cards.find(({ readMs }) => newestMs - readMs > FRESH_MS);
  if (missing !== undefined) {
    const words = 'nvidia-smi gives no row of it any more';
    return lossOfFaults(missing.facts.card, [{ kind: 'row-missing', words }]);
  }
  return trouble === null ? null : lossOfTrouble(trouble);
}
