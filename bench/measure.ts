/** What a measure is: rows of paired samples, each with the ratio that it aims at. */

export interface MeasureContext {
  /** Small sizes and few repetitions: shows that the measure works, its numbers mean nothing. */
  readonly quick: boolean;
  /** An empty folder on the disk that is measured; removed afterwards. */
  readonly folder: string;
  /** The package's root. */
  readonly root: string;
}

export interface Row {
  readonly name: string;
  /** What the samples are compared with; null: the target is a plain limit. */
  readonly reference: string | null;
  readonly unit: 'ms' | 'steps/s' | 'MB' | '%';
  readonly ours: readonly number[];
  /** As many as `ours`, taken in turn with them. */
  readonly theirs: readonly number[];
  /** Of the ratio, or of the value itself where there is no reference. */
  readonly target: { readonly bound: 'at most' | 'at least'; readonly value: number };
}

export interface Measure {
  readonly name: string;
  run(context: MeasureContext): Promise<readonly Row[]>;
}

export interface Summary extends Omit<Row, 'ours' | 'theirs'> {
  readonly repetitions: number;
  readonly median: number;
  readonly best: number;
  readonly referenceMedian: number | null;
  readonly referenceBest: number | null;
  /** Median of the ratios of the pairs; without a reference the median itself. */
  readonly ratio: number;
  readonly reached: boolean;
}

/** Medians, because a shared machine now and then takes seconds away from whatever runs. */
export function summarise({ ours, theirs, ...row }: Row): Summary {
  const best = row.unit === 'steps/s' ? Math.max : Math.min;
  const compared = row.reference !== null;
  const ratio = compared ? median(ours.map((value, index) => value / (theirs[index] ?? Number.NaN))) : median(ours);
  const { bound, value } = row.target;
  return {
    ...row,
    repetitions: ours.length,
    median: median(ours),
    best: best(...ours),
    referenceMedian: compared ? median(theirs) : null,
    referenceBest: compared ? best(...theirs) : null,
    ratio,
    reached: bound === 'at most' ? ratio <= value : ratio >= value,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
