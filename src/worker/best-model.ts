/** The best-model rule: which metric decides, and the best value so far. */
import { isBetter } from './save-policy.ts';

export interface BestRule {
  readonly metric: string;
  readonly mode: 'min' | 'max';
  /** What does not beat the best by so much is no better. Default 0. */
  readonly minDelta?: number;
}

export interface BestValue extends Omit<BestRule, 'minDelta'> {
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
  const { metric, mode, minDelta = 0 } = rule;
  return isBetter(value, comparable, mode, minDelta) ? { metric, mode, value, epoch } : best;
}
