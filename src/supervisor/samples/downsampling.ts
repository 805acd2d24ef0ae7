/** Averages of readings over a second, ten seconds and a minute. Pure but for its own state; time comes with the readings. */
import type { GpuValues } from '../../gpu/sample.ts';
import { type GpuSampleRow, SAMPLE_SECONDS, type SampleSeconds } from '../../sessions/gpu-samples-table.ts';

export type SampleRow = Omit<GpuSampleRow, 'session'>;

const AVERAGED = ['temperatureC', 'utilizationPercent', 'powerW', 'memoryUsedMib'] as const;
type Averaged = (typeof AVERAGED)[number];

interface Bucket {
  readonly card: string;
  readonly seconds: SampleSeconds;
  readonly at: number;
  readonly cardIndex: number | null;
  readonly sums: Record<Averaged, { sum: number; count: number }>;
  hottestC: number | null;
}

export class Downsampling {
  /** The open one of each card and length of time. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param atSeconds of the wall clock @returns rows that are complete with it */
  take(card: string, values: GpuValues, atSeconds: number): SampleRow[] {
    return SAMPLE_SECONDS.flatMap((seconds) => {
      const at = Math.floor(atSeconds / seconds) * seconds;
      const key = `${seconds} ${card}`;
      const open = this.#buckets.get(key);
      const bucket = open?.at === at ? open : newBucket(card, seconds, at, values.index);
      this.#buckets.set(key, bucket);
      add(bucket, values);
      return open === undefined || open === bucket ? [] : [rowOf(open)];
    });
  }

  /** What is open, as far as it came: nothing more comes. */
  finish(): SampleRow[] {
    const rows = [...this.#buckets.values()].map(rowOf);
    this.#buckets.clear();
    return rows;
  }
}

function newBucket(card: string, seconds: SampleSeconds, at: number, cardIndex: number | null): Bucket {
  const none = (): { sum: number; count: number } => ({ sum: 0, count: 0 });
  const sums = { temperatureC: none(), utilizationPercent: none(), powerW: none(), memoryUsedMib: none() };
  return { card, seconds, at, cardIndex, sums, hottestC: null };
}

/** What the card does not tell counts neither as 0 nor at all. */
function add(bucket: Bucket, values: GpuValues): void {
  for (const key of AVERAGED) {
    const value = values[key];
    if (value === null) continue;
    bucket.sums[key].sum += value;
    bucket.sums[key].count += 1;
  }
  if (values.temperatureC !== null) {
    bucket.hottestC = Math.max(bucket.hottestC ?? Number.NEGATIVE_INFINITY, values.temperatureC);
  }
}

function rowOf({ card, seconds, at, cardIndex, sums, hottestC }: Bucket): SampleRow {
  const mean = (key: Averaged): number | null => {
    const { sum, count } = sums[key];
    return count === 0 ? null : Math.round((sum / count) * 10) / 10;
  };
  return {
    card,
    seconds,
    at,
    cardIndex,
    temperatureC: mean('temperatureC'),
    hottestC,
    utilizationPercent: mean('utilizationPercent'),
    powerW: mean('powerW'),
    memoryUsedMib: mean('memoryUsedMib'),
  };
}
