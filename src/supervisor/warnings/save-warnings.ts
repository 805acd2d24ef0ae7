/** Saves that are too old, too slow or left out. Pure: facts and time in, a verdict out. */
import type { RunSettings } from '../../config/settings.ts';
import { aboutBytes, aboutDuration } from '../../units.ts';
import { clear, KEEP, raise, type Verdict } from './condition.ts';
import type { SaveWatchFacts } from './save-facts.ts';

/** Longest interval of `auto`. Source: design section 5, "10 s to 300 s". */
const AUTO_LONGEST_MS = 300_000;
/** What `auto` may write in a day. Source: as above. */
const AUTO_BYTES_PER_MS = 200e9 / 86_400_000;
/** The durable age is told beyond this many intervals, and is well again below this share of that. */
const INTERVALS = 3;
const WELL = 0.5;
/** The step at whose end a save begins is told so much after the save itself at the most. */
const REPORT_LAG_MS = 1_500;
/** A step without an end is told where it takes so many times the longest so far. */
const LONGER_GAP = 1.5;
/** Shorter intervals than this are those of tests and demonstrations. */
const LEAST_AGE_MS = 10_000;
/** A save longer than this is told whatever the interval. */
export const SLOW_SAVE_MS = 300_000;
/** A save is not slow by its disk when so few steps make up its time. */
const STEPS_OF_A_SAVE = 3;
/** No save was skipped for this many intervals, at least a minute: over. */
const QUIET_INTERVALS = 10;
const QUIET_LEAST_MS = 60_000;

/** Longest time between two periodic saves that the settings mean; null: saves come by epochs or on demand only. */
export function intervalOf(save: RunSettings['save'], facts: SaveWatchFacts): number | null {
  const found: number[] = [];
  if (save.every === 'auto') found.push(Math.max(AUTO_LONGEST_MS, (facts.lastSaveBytes ?? 0) / AUTO_BYTES_PER_MS));
  else if (save.every !== null) found.push(save.every);
  const { stepsPerSecond } = facts;
  if (save.everySteps !== null && stepsPerSecond !== null && stepsPerSecond > 0) {
    found.push((save.everySteps / stepsPerSecond) * 1_000);
  }
  return found.length === 0 ? null : Math.min(...found);
}

/** How long nothing became durable although training goes on. */
export function judgeDurableAge(facts: SaveWatchFacts, intervalMs: number | null, nowMs: number): Verdict {
  const { trainingSinceMs, lastDurableMs } = facts;
  if (trainingSinceMs === null || intervalMs === null) return KEEP;
  const ageMs = nowMs - Math.max(trainingSinceMs, lastDurableMs ?? 0);
  const limitMs = Math.max(LEAST_AGE_MS, INTERVALS * intervalMs);
  if (ageMs < limitMs * WELL) return clear('Checkpoints are young again');
  // A pause makes nothing that could be lost, a stop saves all there is, and a full disk was told as such.
  if (ageMs <= limitMs || facts.waiting || facts.stopping || facts.diskFull) return KEEP;
  // Long steps were told of with the first of them: no save can come between.
  if (isBetweenSteps(facts, nowMs, intervalMs) && nowMs - (facts.steppedAtMs ?? 0) <= LONGER_GAP * facts.longestGapMs)
    return KEEP;
  const [cause, cure] = causeOfAge(facts, nowMs, intervalMs);
  return raise(
    `The newest checkpoint is ${aboutDuration(ageMs)} old, where one is due every ${aboutDuration(intervalMs)}: ${cause}`,
    cure,
  );
}

/** What an old checkpoint waits for is the end of a step. */
function isBetweenSteps(
  { savingSinceMs, lastFailure, steppedAtMs }: SaveWatchFacts,
  nowMs: number,
  intervalMs: number,
): boolean {
  if (savingSinceMs !== null || lastFailure !== null) return false;
  return steppedAtMs === null || nowMs - steppedAtMs > intervalMs;
}

/** No step has ended since the save began: what the trainer has to hand over may still lie with it. */
function waitsForStep({ steppedAtMs }: SaveWatchFacts, savingSinceMs: number): boolean {
  return steppedAtMs === null || steppedAtMs - savingSinceMs < REPORT_LAG_MS;
}

function causeOfAge(facts: SaveWatchFacts, nowMs: number, intervalMs: number): readonly [string, string] {
  const { lastFailure, savingSinceMs, steppedAtMs, phase } = facts;
  if (savingSinceMs !== null && waitsForStep(facts, savingSinceMs)) {
    return [
      `the save that began ${aboutDuration(nowMs - savingSinceMs)} ago is read at the end of a step, and none has ended since`,
      'Call run.step() more often, for instance inside long evaluations.',
    ];
  }
  if (savingSinceMs !== null) {
    return [
      `the save that began ${aboutDuration(nowMs - savingSinceMs)} ago is not durable yet`,
      'The disk is slow or hangs: see dmesg and iostat, or store elsewhere with --dir.',
    ];
  }
  if (lastFailure !== null) {
    return [
      `the last save failed (${lastFailure.code}: ${lastFailure.message})`,
      'Mend what it names; saves go on by themselves.',
    ];
  }
  if (isBetweenSteps(facts, nowMs, intervalMs)) {
    return [
      `no step was completed for ${aboutDuration(nowMs - (steppedAtMs ?? nowMs))} (phase ${phase}), and saves are made between steps`,
      'Call run.step() more often, for instance inside long evaluations.',
    ];
  }
  return ['no save was begun', 'See the session log; ask for a save with nkat-recover save.'];
}

/** A save that takes longer than its interval, or than five minutes. */
export function judgeSlowSave(facts: SaveWatchFacts, intervalMs: number | null, nowMs: number): Verdict {
  const limitMs = Math.min(SLOW_SAVE_MS, intervalMs ?? SLOW_SAVE_MS);
  const { savingSinceMs, lastSaveTookMs, lastSaveBytes, stepsPerSecond } = facts;
  const runningMs = savingSinceMs === null ? 0 : nowMs - savingSinceMs;
  if (runningMs > SLOW_SAVE_MS) {
    return raise(
      `A save has been running for ${aboutDuration(runningMs)}: the disk is slow or hangs`,
      'See dmesg and iostat; store elsewhere with --dir.',
    );
  }
  if (lastSaveTookMs === null) return KEEP;
  if (lastSaveTookMs <= limitMs * 0.8 && runningMs <= limitMs) return clear('Saves are fast enough again');
  if (lastSaveTookMs <= limitMs) return KEEP;
  const longer = `longer than ${limitMs === intervalMs ? `its interval of ${aboutDuration(limitMs)}` : aboutDuration(limitMs)}`;
  const stepMs = stepsPerSecond === null || stepsPerSecond === 0 ? 0 : 1_000 / stepsPerSecond;
  // It is read between steps, in the time that a few of them take.
  if (stepMs * STEPS_OF_A_SAVE >= lastSaveTookMs) {
    return raise(
      `A save took ${aboutDuration(lastSaveTookMs)}, ${longer}: it is read between steps, and a step takes about ${aboutDuration(stepMs)}`,
      'Save less often with --save-every, or call run.step() more often.',
    );
  }
  const rate =
    lastSaveBytes === null
      ? ''
      : ` (${aboutBytes(lastSaveBytes)} at ${aboutBytes(lastSaveBytes / (lastSaveTookMs / 1_000))}/s)`;
  return raise(
    `A save took ${aboutDuration(lastSaveTookMs)}${rate}, ${longer}`,
    'Save less often with --save-every, or store on a faster disk with --dir.',
  );
}

/** Periodic saves that were passed over since the one before was still being written. */
export function judgeSkippedSaves(facts: SaveWatchFacts, intervalMs: number | null, nowMs: number): Verdict {
  const { skippedAtMs, skippedSaves, lastSaveTookMs } = facts;
  if (skippedAtMs === null) return KEEP;
  const quietMs = Math.max(QUIET_LEAST_MS, QUIET_INTERVALS * (intervalMs ?? 0));
  if (nowMs - skippedAtMs >= quietMs) return clear('No save was skipped for a while');
  // A newer one may have been quick, which would explain nothing.
  const explains = lastSaveTookMs !== null && lastSaveTookMs >= (intervalMs ?? 0);
  const took = !explains ? '' : `, which takes ${aboutDuration(lastSaveTookMs)}`;
  return raise(
    `${skippedSaves} periodic save(s) skipped: they were due while another was still being written${took}`,
    'Save less often with --save-every, or store on a faster disk with --dir.',
  );
}
