/** The steps of an epoch that a trainer makes from data of its own: a pass without samples, taken up like one. */
import { type DataFacts, stepFacts } from './data-facts.ts';
import type { PassStart } from './position.ts';

export interface StepsSettings {
  /** Tells the run that a pass begins. */
  begin(data: DataFacts): PassStart;
  yielded(steps: number): void;
  ended(): void;
}

/** Yields the number of each step that is left, from 0 in the epoch. */
export function* stepsLeftOf(
  stepsPerEpoch: number,
  { begin, yielded, ended }: StepsSettings,
): Generator<number, void, void> {
  const start = begin(stepFacts(stepsPerEpoch));
  if (start.kind === 'completed') return;
  try {
    for (let step = start.sample; step < stepsPerEpoch; step++) {
      yielded(step + 1);
      yield step;
    }
  } finally {
    // Also when the trainer leaves the loop early.
    ended();
  }
}
