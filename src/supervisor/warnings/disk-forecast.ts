/**
 * Will the disk of the checkpoints be full before the end of the run? Two things take room: our own checkpoints, up to as
 * many as are kept, which is known in advance; and whatever else writes there, whose rate is measured.
 */
import { aboutBytes, aboutDuration } from '../../units.ts';
import { clear, KEEP, raise, type Verdict } from './condition.ts';

/** One look at the disk. Monotonic time in milliseconds. */
export interface DiskSample {
  readonly atMs: number;
  readonly freeBytes: number;
  /** What our own checkpoints take. */
  readonly ownBytes: number;
}

export interface DiskOutlook {
  readonly samples: readonly DiskSample[];
  /** Checkpoints that are there, and how many are kept. */
  readonly present: number;
  readonly keep: number;
  /** Byte budget of the session; null: none. */
  readonly maxBytes: number | null;
  /** Of the newest checkpoint. */
  readonly saveBytes: number;
  readonly intervalMs: number | null;
  /** To the end of the run; null: not known. */
  readonly remainingMs: number | null;
}

/** How far back the rate of others is measured, and the least that it takes for one. */
export const WINDOW_MS = 1_800_000;
const LEAST_SPAN_MS = 120_000;
/** How far we look where the end of the run is not known. */
const HORIZON_MS = 86_400_000;
/** Room that a save must find: twice its size. */
const ROOM_FACTOR = 2;
/** Well again when full is this much farther away than the end. */
const WELL = 1.5;

/** The samples with one more, none older than the window. */
export function withSample(samples: readonly DiskSample[], sample: DiskSample): readonly DiskSample[] {
  return [...samples.filter(({ atMs }) => atMs > sample.atMs - WINDOW_MS), sample];
}

/** Milliseconds until a save finds no room; null: that is not to be seen. */
export function fullInMs(outlook: DiskOutlook): number | null {
  const { samples, saveBytes, intervalMs } = outlook;
  const newest = samples.at(-1);
  if (newest === undefined) return null;
  const missing = Math.max(0, outlook.keep - outlook.present);
  const byBudget =
    outlook.maxBytes === null ? Number.POSITIVE_INFINITY : Math.max(0, outlook.maxBytes - newest.ownBytes);
  const toCome = Math.min(missing * saveBytes, byBudget) + ROOM_FACTOR * saveBytes;
  const left = newest.freeBytes - toCome;
  if (left < 0) {
    const saves = Math.max(0, Math.floor(newest.freeBytes / saveBytes) - ROOM_FACTOR);
    return saves * (intervalMs ?? 0);
  }
  const rate = rateOfOthers(samples, saveBytes);
  return rate === null ? null : left / rate;
}

/** Bytes a millisecond that somebody else takes; null: nobody does, or it is too early to tell. */
function rateOfOthers(samples: readonly DiskSample[], saveBytes: number): number | null {
  const oldest = samples[0];
  const newest = samples.at(-1);
  if (oldest === undefined || newest === undefined || newest.atMs - oldest.atMs < LEAST_SPAN_MS) return null;
  const taken = oldest.freeBytes + oldest.ownBytes - newest.freeBytes - newest.ownBytes;
  // Less than a checkpoint is no trend: one may be half written, or wait in the trash.
  return taken <= ROOM_FACTOR * saveBytes ? null : taken / (newest.atMs - oldest.atMs);
}

export function judgeDisk(outlook: DiskOutlook, path: string): Verdict {
  const fullMs = fullInMs(outlook);
  const horizonMs = outlook.remainingMs ?? HORIZON_MS;
  if (fullMs === null || fullMs > horizonMs * WELL) return clear(`The disk of ${path} will last`);
  if (fullMs >= horizonMs) return KEEP;
  const free = outlook.samples.at(-1)?.freeBytes ?? 0;
  const end =
    outlook.remainingMs === null
      ? 'within a day'
      : `before the end of the run (in about ${hours(outlook.remainingMs)})`;
  return raise(
    `The disk of ${path} will be full in about ${hours(fullMs)}, ${end}: ${aboutBytes(free)} are free, a checkpoint takes ${aboutBytes(outlook.saveBytes)} and ${outlook.keep} are kept`,
    'Free some space there, keep fewer with --keep or --keep-bytes, or store elsewhere with --dir.',
  );
}

function hours(ms: number): string {
  const unit = ms < 3_600_000 ? 60_000 : 3_600_000;
  return ms < 60_000 ? 'a minute' : aboutDuration(Math.round(ms / unit) * unit);
}
