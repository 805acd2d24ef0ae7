/** What a pass is made over: samples in batches, or steps that the trainer makes as it likes. */
export interface DataFacts {
  readonly length: number;
  readonly size: number;
  readonly seed: number | null;
  readonly drop: boolean;
  /** Steps of an epoch, each of which counts as one sample (`run.stepsLeft()`); missing: samples of data. */
  readonly unit?: 'step';
}

/** The pass of an epoch that has this many steps and no data that we know of. */
export function stepFacts(stepsPerEpoch: number): DataFacts {
  return { length: stepsPerEpoch, size: 1, seed: null, drop: false, unit: 'step' };
}

/** In words; null: a pass over `before` can be taken up in its middle over `now`. */
export function differences(before: DataFacts, now: DataFacts): string | null {
  if (before.unit !== now.unit) {
    return now.unit === 'step'
      ? 'its epochs are counted in steps by run.stepsLeft() now, before they went over run.batches()'
      : 'its epochs go over run.batches() now, before they were counted in steps by run.stepsLeft()';
  }
  const changed: string[] = [];
  const counted = now.unit === 'step' ? 'steps an epoch' : 'samples';
  if (before.length !== now.length) changed.push(`${now.length} ${counted} instead of ${before.length}`);
  if (before.size !== now.size) changed.push(`batches of ${now.size} instead of ${before.size}`);
  if (before.seed !== now.seed) changed.push(`seed ${now.seed} instead of ${before.seed}`);
  if (before.drop !== now.drop)
    changed.push(now.drop ? 'the last short batch is dropped now' : 'the last short batch is kept now');
  return changed.length === 0 ? null : changed.join(', ');
}
