/** A curve in one line of text. Pure. */

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

export interface Point {
  /** Any unit of time. */
  readonly at: number;
  /** Null: nothing was told. */
  readonly value: number | null;
}

export interface Scale {
  readonly low: number;
  readonly high: number;
}

/** Each column is the mean of its time; where nothing was told it is empty. @param points in the order of time */
export function sparkline(points: readonly Point[], columns: number, { low, high }: Scale): string {
  const first = points[0]?.at ?? 0;
  const span = Math.max(1, (points.at(-1)?.at ?? 0) - first);
  const width = Math.min(columns, points.length);
  const sums = Array.from({ length: width }, () => ({ sum: 0, count: 0 }));
  for (const { at, value } of points) {
    const column = sums[Math.min(width - 1, Math.floor(((at - first) / span) * width))];
    if (value === null || column === undefined) continue;
    column.sum += value;
    column.count += 1;
  }
  return sums.map(({ sum, count }) => (count === 0 ? ' ' : bar((sum / count - low) / (high - low)))).join('');
}

function bar(share: number): string {
  const at = Math.round(Math.min(1, Math.max(0, share)) * (BARS.length - 1));
  return BARS[at] ?? BARS[0];
}
