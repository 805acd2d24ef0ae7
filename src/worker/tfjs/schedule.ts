/** Learning-rate schedules. */
import { NkatError } from '../../errors.ts';
import type { StateValue } from '../state.ts';

/**
 * A schedule that a trainer may write itself. One that only depends on the step needs `rate` alone; one with a memory
 * (reduce on plateau) gives `state` and `restore` too, or reads what the trainer keeps (`run.keep`).
 */
export interface Schedule {
  /** Learning rate of the step that follows `stepsDone` steps. */
  rate(stepsDone: number): number;
  /** What must survive a restart; anything that the checkpoint's state accepts. */
  state?(): StateValue;
  restore?(state: StateValue): void;
}

export interface CosineOptions {
  /** Learning rate at the top of the curve. */
  readonly initial: number;
  /** Steps until the rate has come down to `final`; it stays there. */
  readonly steps: number;
  /** Default 0. */
  readonly final?: number;
  /** Steps over which the rate first rises linearly to `initial`. Default 0. */
  readonly warmupSteps?: number;
}

/**
 * Half a cosine from `initial` to `final`.
 * @throws NkatError 'usage' when a number makes no sense.
 */
export function cosineSchedule(options: CosineOptions): Schedule {
  const { initial, steps, final = 0, warmupSteps = 0 } = options;
  const sensible = initial > 0 && final >= 0 && steps > warmupSteps && warmupSteps >= 0;
  if (!sensible || ![initial, final, steps, warmupSteps].every(Number.isFinite)) {
    throw new NkatError('a cosine schedule needs initial > 0, final >= 0 and steps > warmupSteps >= 0', {
      code: 'usage',
      operation: 'make a learning-rate schedule',
    });
  }
  return {
    rate(stepsDone) {
      if (stepsDone < warmupSteps) return (initial * (stepsDone + 1)) / (warmupSteps + 1);
      const share = Math.min(1, (stepsDone - warmupSteps) / (steps - warmupSteps));
      return final + ((initial - final) * (1 + Math.cos(Math.PI * share))) / 2;
    },
  };
}
