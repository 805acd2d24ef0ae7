/** The end of an epoch: is the model the best so far, and is a save due. */
import { type BestRule, bestAfter } from './best-model.ts';
import type { Boundary, SaveWish } from './boundary.ts';
import type { Periodic } from './periodic.ts';
import type { Metrics } from './run.ts';
import type { RunMemory } from './run-memory.ts';
import { dueAtEpoch } from './save-policy.ts';

export interface EpochEndOptions {
  readonly memory: RunMemory;
  readonly boundary: Boundary;
  readonly periodic: Periodic;
}

export class EpochEnd {
  readonly #options: EpochEndOptions;
  /** The trainer's rule; the operator's goes before it. */
  ownRule: BestRule | null = null;

  constructor(options: EpochEndOptions) {
    this.#options = options;
  }

  /** Decides by the metrics of the epoch that was just counted. @returns true for a new best */
  judge(metrics: Metrics, epoch: number): boolean {
    const { memory, periodic } = this.#options;
    const { best: operators, bestMinDelta } = periodic.policy;
    const wanted = operators ?? this.ownRule;
    const rule = wanted === null || bestMinDelta === null ? wanted : { ...wanted, minDelta: bestMinDelta };
    const value = rule === null ? undefined : (metrics[rule.metric] ?? memory.means.known(rule.metric));
    const before = memory.best;
    memory.best = bestAfter(before, rule, value, epoch);
    return memory.best !== before;
  }

  /** Saves what is due. @param before the best value to go back to when the best model cannot be saved. */
  async save(isBest: boolean, before: RunMemory['best']): Promise<void> {
    const { memory, boundary, periodic } = this.#options;
    if (boundary.state === null) return;
    const due = dueAtEpoch(periodic.policy, memory.position.epoch);
    if (!isBest) {
      if (due) await boundary.periodic(performance.now());
      return;
    }
    if (boundary.hasNoRoom) {
      // Like a best model that could not be saved: not the one to beat.
      memory.best = before;
      if (due) boundary.periodic(performance.now());
      return;
    }
    const { best } = memory;
    const wish: SaveWish = { kinds: due ? ['auto', 'best'] : ['best'], reason: null, requests: [] };
    const { outcome } = await boundary.saveNow(wish, 'over-steps');
    // A best model that could not be saved is not the one to beat.
    void outcome.then(({ status }) => {
      if (status === 'failed' && memory.best === best) memory.best = before;
    });
  }
}
