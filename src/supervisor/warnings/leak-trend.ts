/**
 * Does what tfjs holds grow with the steps? Pure. Samples are put into buckets, of which the lowest counts: the copies that a save or an
 * evaluation holds for a moment are in none of them. Only new highs are growth, so that what is freed at each epoch's end is no leak.
 */
import { aboutBytes, aboutDuration } from '../../units.ts';
import { clear, KEEP, raise, type Verdict } from './condition.ts';

/** What the framework held after a step. */
export interface LeakSample {
  readonly atMs: number;
  readonly step: number;
  readonly epoch: number;
  readonly tensors: number;
  readonly bytes: number;
}

interface Bucket extends LeakSample {
  readonly samples: number;
}

export interface LeakState {
  /** Newest last, the last one still being filled. */
  readonly buckets: readonly Bucket[];
  /** Samples that fill one. */
  readonly width: number;
  /** Most tensors of all buckets that are not kept any more. */
  readonly peak: number;
}

const FIRST_WIDTH = 3;
/** In a long run a leak of one tensor in an epoch counts as well: buckets grow up to half a minute. */
const LAST_WIDTH = 48;
const MOST_BUCKETS = 12;
/** So many full buckets in a row, each above the one before: longer than variables, optimizer slots and caches take to be made. */
const RISING = 6;
const LEAST_TENSORS = 20;
/** Without an epoch's end in between, which may free them all, it has to last so long. */
const LONG_MS = 240_000;
/** So many that do not rise: over. */
const LEVEL = 4;
/** Further ahead nobody plans. */
const HORIZON_MS = 30 * 86_400_000;

export const NO_TREND: LeakState = { buckets: [], width: FIRST_WIDTH, peak: 0 };

export function withLeakSample(state: LeakState, sample: LeakSample): LeakState {
  const last = state.buckets.at(-1);
  if (last === undefined || last.samples >= state.width) {
    return bounded({ ...state, buckets: [...state.buckets, { ...sample, samples: 1 }] });
  }
  const lowest = sample.tensors < last.tensors ? sample : last;
  return { ...state, buckets: [...state.buckets.slice(0, -1), { ...lowest, samples: last.samples + 1 }] };
}

/** Pairs become one as long as they may grow; after that the oldest goes. */
function bounded(state: LeakState): LeakState {
  const { buckets, width, peak } = state;
  if (buckets.length <= MOST_BUCKETS) return state;
  if (width < LAST_WIDTH) {
    const newest = buckets.at(-1);
    const pairs = Array.from({ length: MOST_BUCKETS / 2 }, (_, at) => buckets.slice(2 * at, 2 * at + 2));
    const merged = pairs.flatMap(([a, b]) => (a === undefined || b === undefined ? [] : [lower(a, b)]));
    return { ...state, width: 2 * width, buckets: newest === undefined ? merged : [...merged, newest] };
  }
  const [oldest, ...rest] = buckets;
  return { ...state, buckets: rest, peak: Math.max(peak, oldest?.tensors ?? 0) };
}

function lower(a: Bucket, b: Bucket): Bucket {
  return { ...(b.tensors < a.tensors ? b : a), samples: a.samples + b.samples };
}

/** Growth by step over a stretch that rises; null: there is none. */
export interface LeakGrowth {
  readonly tensorsPerStep: number;
  readonly bytesPerStep: number;
  readonly steps: number;
  readonly newest: LeakSample;
}

export function growthOf({ buckets, width, peak }: LeakState): LeakGrowth | null {
  const full = buckets.filter(({ samples }) => samples >= width);
  const rising = risingEnd(full);
  const [first, newest] = [rising[0], rising.at(-1)];
  if (first === undefined || newest === undefined || rising.length < RISING) return null;
  const isNew = newest.tensors > Math.max(peak, ...full.slice(0, -1).map(({ tensors }) => tensors));
  const lasted = newest.epoch > first.epoch || newest.atMs - first.atMs >= LONG_MS;
  if (!isNew || !lasted || newest.tensors - first.tensors < LEAST_TENSORS) return null;
  return {
    tensorsPerStep: slope(rising, ({ tensors }) => tensors),
    bytesPerStep: Math.max(
      0,
      slope(rising, ({ bytes }) => bytes),
    ),
    steps: newest.step - first.step,
    newest,
  };
}

/** The newest buckets of which each is above the one before. */
function risingEnd(buckets: readonly Bucket[]): readonly Bucket[] {
  let from = buckets.length - 1;
  while (from > 0 && (buckets[from]?.tensors ?? 0) > (buckets[from - 1]?.tensors ?? 0)) from -= 1;
  return buckets.slice(Math.max(0, from));
}

/** Median of the slopes between all pairs (Theil and Sen): single values that lie do not move it. */
function slope(buckets: readonly Bucket[], value: (bucket: Bucket) => number): number {
  const slopes = buckets.flatMap((a, at) =>
    buckets.slice(at + 1).flatMap((b) => (b.step > a.step ? [(value(b) - value(a)) / (b.step - a.step)] : [])),
  );
  return slopes.toSorted((a, b) => a - b)[slopes.length >> 1] ?? 0;
}

/** Room that a leak fills. */
export interface LeakRoom {
  /** `the memory of GPU 0`. */
  readonly words: string;
  readonly freeBytes: number;
}

/** @param stepsPerSecond null: not known; @param room null: not known */
export function judgeLeak(state: LeakState, stepsPerSecond: number | null, room: LeakRoom | null): Verdict {
  const growth = growthOf(state);
  if (growth === null) {
    const level = state.buckets.filter(({ samples }) => samples >= state.width).slice(-LEVEL);
    const isLevel = level.length === LEVEL && (level.at(-1)?.tensors ?? 0) <= (level[0]?.tensors ?? 0);
    return isLevel ? clear('tfjs holds no more tensors from step to step') : KEEP;
  }
  const { tensorsPerStep, bytesPerStep, steps, newest } = growth;
  return raise(
    `tfjs leaks memory: ${aboutCount(tensorsPerStep)} tensor(s) and ${aboutBytes(bytesPerStep)} more with each step over ${steps} steps, ${newest.tensors} tensors and ${aboutBytes(newest.bytes)} by now${fullWords(bytesPerStep, stepsPerSecond, room)}`,
    'Wrap what a step makes in tf.tidy(), or dispose of it: tf.memory().numTensors is to be the same after each step.',
  );
}

function fullWords(bytesPerStep: number, stepsPerSecond: number | null, room: LeakRoom | null): string {
  if (room === null || bytesPerStep <= 0) return '';
  const steps = Math.floor(room.freeBytes / bytesPerStep);
  const ms = stepsPerSecond === null || stepsPerSecond <= 0 ? null : (steps / stepsPerSecond) * 1_000;
  if (ms !== null && ms > HORIZON_MS) return `; it takes more than a month to fill ${room.words}`;
  const time = ms === null ? '' : ` (about ${aboutDuration(Math.max(60_000, Math.round(ms / 60_000) * 60_000))})`;
  return `; ${room.words} (${aboutBytes(room.freeBytes)} free) is full in ${steps} steps${time}`;
}

function aboutCount(value: number): string {
  return String(Number(value.toPrecision(2)));
}
