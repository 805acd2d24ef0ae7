/** The steps of an epoch that a trainer makes from data of its own: a pass without samples, taken up like one. */

import { type DataFacts, stepFacts } from './data-facts.ts';
import type { PassStart } from './position.ts';
import { usage } from './usage.ts';

export interface StepsSettings {
  /** Tells the run that a pass begins. */
  begin(data: DataFacts): PassStart;
  yielded(steps: number): void;
  ended(): void;
  /** Steps that the run has made in all. */
  made(): number;
}

/** Yields the number of each step that is left, from 0 in the epoch. @throws NkatError `usage` where a round makes several */
export function* stepsLeftOf(
  stepsPerEpoch: number,
  { begin, yielded, ended, made }: StepsSettings,
): Generator<number, void, void> {
  const start = begin(stepFacts(stepsPerEpoch));
  if (start.kind === 'completed') return;
  try {
    for (let step = start.sample; step < stepsPerEpoch; step++) {
      yielded(step + 1);
      const before = made();
      yield step;
      // Taken up between the two, the second would be lost in silence. None at all is well: gradients may be gathered.
      if (made() - before > 1) {
        throw usage(
          `stepsLeft counts one run.step() in each round; step ${step} of this epoch made ${made() - before}`,
          'train',
        );
      }
    }
  } finally {
    // Also when the trainer leaves the loop early.
    ended();
  }
}
