/** The rows of the last minutes as a table for each card: what stayed the same is said once, what changed is a column. Pure. */
import { FIELD_KEYS } from '../../gpu/fields.ts';
import type { GpuSample, GpuValues } from '../../gpu/sample.ts';

export interface CardReadings {
  readonly card: string;
  /** Of the newest row; null has its reason in `absent`. */
  readonly newest: GpuValues;
  readonly absent: GpuSample['absent'];
  /** Seconds before the snapshot, then the fields that changed meanwhile; units stand in their names. */
  readonly columns: readonly string[];
  /** Oldest first. */
  readonly rows: readonly (readonly (number | string | boolean | null)[])[];
  /** Rows that were left out between those that are here. */
  readonly leftOut: number;
}

/** Two minutes of sixteen cards; a machine with more keeps every second row, or every third. */
const MOST_ROWS = 2_000;

/** @param recent oldest first, of all cards */
export function readingsOf(recent: readonly GpuSample[], nowMs: number): CardReadings[] {
  const stride = Math.max(1, Math.ceil(recent.length / MOST_ROWS));
  return [...byCard(recent)].map(([card, samples]) => readingsOfCard(card, samples, stride, nowMs));
}

/** A card that is lost tells its place only: its rows are those of the card that stood there. */
function byCard(recent: readonly GpuSample[]): Map<string, GpuSample[]> {
  const cards = new Map<string, GpuSample[]>();
  const places = new Map<string, string>();
  for (const sample of recent) {
    const { uuid, busId, index } = sample.values;
    const known = places.get(`bus:${busId}`) ?? places.get(`index:${index}`);
    const card = uuid ?? known ?? (busId === null ? `index:${index}` : `bus:${busId}`);
    if (busId !== null) places.set(`bus:${busId}`, card);
    if (index !== null) places.set(`index:${index}`, card);
    const samples = cards.get(card);
    if (samples === undefined) cards.set(card, [sample]);
    else samples.push(sample);
  }
  return cards;
}

function readingsOfCard(card: string, samples: readonly GpuSample[], stride: number, nowMs: number): CardReadings {
  // Counted from the newest, which is never left out.
  const shown = samples.filter((_, at) => (samples.length - 1 - at) % stride === 0);
  const newest = samples.at(-1) as GpuSample;
  const changed = FIELD_KEYS.filter((key) => samples.some(({ values }) => values[key] !== newest.values[key]));
  return {
    card,
    newest: newest.values,
    absent: newest.absent,
    columns: ['secondsBefore', ...changed],
    rows: shown.map(({ atMs, values }) => [tenths((nowMs - atMs) / 1000), ...changed.map((key) => values[key])]),
    leftOut: samples.length - shown.length,
  };
}

function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
