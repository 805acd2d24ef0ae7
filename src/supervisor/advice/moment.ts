/** What is known of training and of its cards at one moment, and the stretch of such moments that is judged. Pure. */
import type { GpuSample } from '../../gpu/sample.ts';

export type TrainingPhase = 'train' | 'eval';

export interface Moment {
  readonly atMs: number;
  readonly phase: TrainingPhase;
  /** Null: not told yet. */
  readonly stepsPerSecond: number | null;
  /** Newest rows of the cards that the worker may use. */
  readonly cards: readonly GpuSample[];
}

/** Newest last, all of one phase, without a gap. */
export type Stretch = readonly Moment[];

/** One evaluation, one slow batch or one save is no habit. */
export const STRETCH_MS = 20_000;
/** A longer silence than that parts two stretches. */
const GAP_MS = 5_000;

export function withMoment(stretch: Stretch, moment: Moment): Stretch {
  const last = stretch.at(-1);
  const goesOn = last !== undefined && last.phase === moment.phase && moment.atMs - last.atMs <= GAP_MS;
  if (!goesOn) return [moment];
  return [...stretch.filter(({ atMs }) => moment.atMs - atMs <= STRETCH_MS), moment];
}

/** Nothing is said of a shorter one. */
export function isLongEnough(stretch: Stretch): boolean {
  const first = stretch[0]?.atMs ?? 0;
  return (stretch.at(-1)?.atMs ?? 0) - first >= STRETCH_MS - GAP_MS;
}

/** Null where no moment has a value. */
export function meanOf(stretch: Stretch, value: (moment: Moment) => number | null): number | null {
  const values = stretch.map(value).filter((each) => each !== null);
  return values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0) / values.length;
}

/** Share of the moments for which it holds, 0 to 1. */
export function shareOf(stretch: Stretch, holds: (moment: Moment) => boolean): number {
  return stretch.length === 0 ? 0 : stretch.filter(holds).length / stretch.length;
}

/** Load of the busiest card: a trainer that uses one of four leaves three idle. Null: none tells. */
export function busiest({ cards }: Moment): number | null {
  const loads = cards.flatMap(({ values }) => values.utilizationPercent ?? []);
  return loads.length === 0 ? null : Math.max(...loads);
}

export function secondsOf(stretch: Stretch): number {
  return Math.round(((stretch.at(-1)?.atMs ?? 0) - (stretch[0]?.atMs ?? 0)) / 1000);
}

export const PHASE_WORDS: Readonly<Record<TrainingPhase, string>> = { train: 'training', eval: 'evaluation' };
