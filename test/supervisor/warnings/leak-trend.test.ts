/** Leaks of tensors in virtual time: a report each half second, 20 steps in it. */
import { expect, test } from 'vitest';
import {
  growthOf,
  judgeLeak,
  type LeakRoom,
  type LeakState,
  NO_TREND,
  withLeakSample,
} from '../../../src/supervisor/warnings/leak-trend.ts';

const STEPS = 20;
const EPOCH = 200;
const ROOM: LeakRoom = { words: 'the memory of GPU 0', freeBytes: 8_000_000 };

interface Story {
  /** Tensors that are held after this step. */
  readonly held: (step: number) => number;
  readonly stepsInEpoch?: number;
  readonly seconds: number;
}

function play({ held, stepsInEpoch = EPOCH, seconds }: Story): { state: LeakState; told: string[] } {
  let state = NO_TREND;
  const told: string[] = [];
  for (let report = 1; report <= seconds * 2; report += 1) {
    const step = report * STEPS;
    const tensors = held(step);
    const sample = { atMs: report * 500, step, epoch: Math.floor(step / stepsInEpoch), tensors, bytes: tensors * 400 };
    state = withLeakSample(state, sample);
    const { kind } = judgeLeak(state, 40, ROOM);
    if (kind !== 'keep' && told.at(-1) !== kind) told.push(kind);
  }
  return { state, told };
}

test('a steady run, one that starts up, and evaluations that hold more for a while leak nothing', () => {
  expect(play({ held: () => 120, seconds: 1_200 }).told).toEqual(['clear']);
  expect(play({ held: (step) => 120 + 40 * Math.min(step / STEPS, 4), seconds: 1_200 }).told).toEqual(['clear']);
  const evaluated = (step: number): number => 120 + (step % EPOCH === 0 ? 900 : 0);
  expect(play({ held: evaluated, seconds: 1_200 }).told).toEqual(['clear']);
});

test('what is freed at the end of each epoch is no leak, whatever the length of an epoch', () => {
  for (const stepsInEpoch of [60, 200, 1_000, 5_000, 9_000]) {
    const { told } = play({ held: (step) => 120 + (step % stepsInEpoch), stepsInEpoch, seconds: 2_400 });
    expect(told).not.toContain('raise');
  }
});

test('what grows for minutes and is freed then, again and again, is told the first time only', () => {
  const { told } = play({
    held: (step) => 120 + (step % 12_000),
    stepsInEpoch: Number.POSITIVE_INFINITY,
    seconds: 3_600,
  });
  expect(told.filter((kind) => kind === 'raise')).toHaveLength(1);
});

test('a leak of one tensor in a step is told with its growth and with when the memory is full', () => {
  const { state, told } = play({ held: (step) => 120 + step, seconds: 20 });
  expect(told).toEqual(['raise']);
  expect(growthOf(state)).toMatchObject({ tensorsPerStep: 1, bytesPerStep: 400 });
  expect(judgeLeak(state, 40, ROOM)).toMatchObject({
    message: expect.stringMatching(
      /^tfjs leaks memory: 1 tensor\(s\) and 400 B more with each step over \d+ steps, \d+ tensors and \S+ kB by now; the memory of GPU 0 \(8.0 MB free\) is full in 20000 steps \(about 8 min\)$/,
    ),
    hint: expect.stringContaining('tf.tidy'),
  });
  // Slower, beside evaluations and a noise of its own, in an hour.
  const noisy = (step: number): number =>
    120 + Math.floor(step / 10) + ((step * 7) % 13) + (step % EPOCH === 0 ? 900 : 0);
  const slow = play({ held: noisy, seconds: 3_600 });
  expect(slow.told).toContain('raise');
  expect(growthOf(slow.state)?.tensorsPerStep).toBeCloseTo(0.1, 2);
});

test('one endless epoch has to leak for four minutes: its end might free all of it', () => {
  const story = { held: (step: number) => 120 + step, stepsInEpoch: Number.POSITIVE_INFINITY };
  expect(play({ ...story, seconds: 200 }).told).toEqual([]);
  expect(play({ ...story, seconds: 900 }).told).toEqual(['raise']);
});

test('a leak that stops is over, and one that begins late is found', () => {
  const stops = (step: number): number => 120 + Math.min(step, 2_000);
  expect(play({ held: stops, seconds: 1_800 }).told).toEqual(['raise', 'clear']);
  const begins = (step: number): number => 120 + Math.max(0, step - 40_000);
  expect(play({ held: begins, seconds: 1_800 }).told).toEqual(['clear', 'raise']);
});

test('says no time where none is known, and none that nobody waits for', () => {
  const { state } = play({ held: (step) => 120 + step, seconds: 20 });
  const words = (rate: number | null, room: LeakRoom | null): string => {
    const verdict = judgeLeak(state, rate, room);
    return verdict.kind === 'raise' ? verdict.message : verdict.kind;
  };
  expect(words(null, ROOM)).toMatch(/is full in 20000 steps$/);
  expect(words(40, null)).toMatch(/by now$/);
  expect(words(0.001, ROOM)).toContain('more than a month');
});
