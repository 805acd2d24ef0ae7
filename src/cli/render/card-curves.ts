/** What a session's cards showed over time: figures for a program, one line a card for a person. */
import type { GpuSampleRow } from '../../sessions/gpu-samples-table.ts';
import { aboutDuration } from './quantities.ts';
import { type Scale, sparkline } from './sparkline.ts';

export interface CardCurve {
  readonly card: string;
  readonly index: number | null;
  /** ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly secondsPerSample: number;
  /** Null: the card tells none. `high` of the temperature is the hottest moment. */
  readonly temperatureC: Figures | null;
  readonly utilizationPercent: Figures | null;
  readonly samples: readonly GpuSampleRow[];
}

interface Figures {
  readonly low: number;
  readonly mean: number;
  readonly high: number;
}

const COLUMNS = 32;
/** A curve between two degrees would look like a drama. */
const LEAST_SPAN_C = 20;

/** @param rows of one length of time, in the order of card and time */
export function cardCurves(rows: readonly GpuSampleRow[]): CardCurve[] {
  const cards = [...new Set(rows.map(({ card }) => card))];
  return cards.flatMap((card) => curveOf(rows.filter((row) => row.card === card)) ?? []);
}

function curveOf(samples: readonly GpuSampleRow[]): CardCurve | null {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return null;
  const temperature = figuresOf(samples.map(({ temperatureC }) => temperatureC));
  const hottest = figuresOf(samples.map(({ hottestC }) => hottestC));
  return {
    card: first.card,
    index: last.cardIndex,
    from: new Date(first.at * 1000).toISOString(),
    to: new Date((last.at + last.seconds) * 1000).toISOString(),
    secondsPerSample: first.seconds,
    temperatureC: temperature === null ? null : { ...temperature, high: hottest?.high ?? temperature.high },
    utilizationPercent: figuresOf(samples.map(({ utilizationPercent }) => utilizationPercent)),
    samples,
  };
}

function figuresOf(values: readonly (number | null)[]): Figures | null {
  const told = values.filter((value) => value !== null);
  if (told.length === 0) return null;
  const mean = told.reduce((sum, value) => sum + value, 0) / told.length;
  return { low: Math.min(...told), mean: Math.round(mean * 10) / 10, high: Math.max(...told) };
}

/** What `show --json` has of it: without the rows. */
export function curveJson({ samples: _, ...figures }: CardCurve): object {
  return figures;
}

/** `▁▂▅▇ 54 to 78 C · ▇▇▇▆ load 91 % (over 42 min)` */
export function curveText({ samples, temperatureC, utilizationPercent, from, to }: CardCurve): string {
  const parts: string[] = [];
  if (temperatureC !== null) {
    const points = samples.map(({ at, temperatureC: value }) => ({ at, value }));
    const line = sparkline(points, COLUMNS, degreesScale(temperatureC));
    parts.push(`${line} ${Math.round(temperatureC.low)} to ${Math.round(temperatureC.high)} C`);
  }
  if (utilizationPercent !== null) {
    const points = samples.map(({ at, utilizationPercent: value }) => ({ at, value }));
    const line = sparkline(points, COLUMNS, { low: 0, high: 100 });
    parts.push(`${line} load ${Math.round(utilizationPercent.mean)} %`);
  }
  return `${parts.join(' · ')} (over ${aboutDuration(Date.parse(to) - Date.parse(from))})`;
}

function degreesScale({ low, high }: Figures): Scale {
  const missing = Math.max(0, LEAST_SPAN_C - (high - low));
  return { low: low - missing / 2, high: high + missing / 2 };
}
