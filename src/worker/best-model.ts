/** The best-model rule: which metric decides, and the best value so far. */
import { isBetter } from './save-policy.ts';

export interface BestRule {
  readonly metric: string;
  readonly mode: 'min' | 'max';
}

export interface BestValue extends BestRule {
  readonly value: number;
  /** Number of the epoch, from 0. */
  readonly epoch: number;
}

/**
 * The best value after an epoch: the same object when this epoch is no better. A value under another rule (the
 * operator named another metric since) does not count.
 */
export function bestAfter(
  best: BestValue | null,
  rule: BestRule | null,
  value: number | undefined,
  epoch: number,
): BestValue | null {
  if (rule === null || value === undefined) return best;
  const comparable = best !== null && best.metric === rule.metric && best.mode === rule.mode ? best.value : null;
  return isBetter(value, comparable, rule.mode) ? { ...rule, value, epoch } : best;
}
