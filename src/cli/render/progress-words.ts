/** The progress of a run in one line, for the live line and for the plain progress line. */
import type { CardFacts, ProgressFacts, Report, StopStage } from '../../supervisor/events.ts';
import { aboutAge, aboutDuration, aboutNumber } from './quantities.ts';
import { type Waiting, waitingText } from './waiting-words.ts';
import { cutToWidth, printable, widthOf } from './width.ts';

/** A stop in progress; times on the renderer's own monotonic clock, in ms. */
export interface StopInProgress {
  readonly stage: StopStage;
  readonly deadlineAt: number;
}

interface Part {
  readonly text: string;
  /** Lower goes first where the line is too narrow. */
  readonly worth: number;
}

/** Everything there is to say of the progress, most telling first. @param sinceMs how long ago the facts were reported */
export function progressText(facts: ProgressFacts, sinceMs = 0): string {
  return joined(progressParts(facts, sinceMs));
}

/**
 * The live line: never wider than `columns`. What matters least is left out first, the last part is cut.
 *
 * @param clock `sinceMs`: how long ago the facts were reported; `monotonic`: the clock of `stop.deadlineAt` and `waiting`. No wall clock:
 * it may be set while a run is shown
 * @param waiting shown where there is no progress yet
 */
export function liveText(
  facts: ProgressFacts | null,
  stop: StopInProgress | null,
  clock: { readonly sinceMs: number; readonly monotonic: number },
  columns: number,
  waiting: Waiting | null = null,
): string {
  const parts: Part[] = [];
  if (stop !== null) parts.push({ text: stopText(stop, clock.monotonic), worth: 10 });
  if (facts === null) {
    if (stop === null || waiting !== null) parts.push({ text: waitingText(waiting, clock.monotonic), worth: 9 });
  } else parts.push(...progressParts(facts, clock.sinceMs));
  const kept = [...parts];
  while (kept.length > 1 && widthOf(joined(kept)) > columns) {
    const least = kept.reduce((low, part) => (part.worth < low.worth ? part : low));
    kept.splice(kept.indexOf(least), 1);
  }
  return cutToWidth(joined(kept), columns);
}

function progressParts(facts: ProgressFacts, sinceMs: number): Part[] {
  const parts: Part[] = [];
  if (facts.waiting === 'space') parts.push({ text: 'waiting for disk space', worth: 9 });
  else if (facts.waiting === 'pause') parts.push({ text: 'paused', worth: 9 });
  else if (facts.throttle === 1) parts.push({ text: 'waiting for the GPU to cool', worth: 9 });
  else if (facts.phase !== 'train') parts.push({ text: facts.phase, worth: 7 });
  const { report = null } = facts;
  if (report !== null) parts.push({ text: reportText(report), worth: 9 });
  else if (facts.percent !== null && facts.totalSteps === null) {
    parts.push({ text: `${facts.percent.toFixed(1)} %`, worth: 8 });
  }
  if (report === null || facts.epochs !== null) {
    // The epoch that is being trained, from 1; reports count those that are over.
    const current = Math.min(facts.epoch + 1, facts.epochs ?? Number.POSITIVE_INFINITY);
    parts.push({ text: `epoch ${of(current, facts.epochs)}`, worth: 8 });
  }
  if (report === null || facts.step > 0) parts.push({ text: `step ${of(facts.step, facts.totalSteps)}`, worth: 9 });
  if (facts.loss !== null) parts.push({ text: `loss ${aboutNumber(facts.loss)}`, worth: 6 });
  if (facts.stepsPerSecond !== null) parts.push({ text: `${aboutNumber(facts.stepsPerSecond)} steps/s`, worth: 3 });
  const remaining = remainingMs(facts);
  if (remaining !== null) parts.push({ text: `ETA ${aboutDuration(remaining)}`, worth: 4 });
  parts.push({ text: savedText(facts, sinceMs), worth: 5 });
  const cards = cardsText(facts.cards ?? []);
  if (cards !== null) parts.push({ text: cards, worth: 3 });
  const { throttle = 0 } = facts;
  if (throttle > 0 && throttle < 1) parts.push({ text: `slowed by ${Math.round(throttle * 100)} %`, worth: 6 });
  if (facts.attempt > 1) parts.push({ text: `attempt ${facts.attempt}`, worth: 2 });
  if (facts.skippedSaves > 0) parts.push({ text: `saves skipped ${facts.skippedSaves}`, worth: 1 });
  return parts;
}

/** `62.5 % · simulating · pressure 1.2`: work that has no epochs. */
export function reportText({ percent, stage, results }: Report): string {
  const found = Object.entries(results).map(([name, value]) => `${printable(name)} ${aboutNumber(value)}`);
  return [`${percent.toFixed(1)} %`, ...(stage === null ? [] : [printable(stage)]), ...found].join(' · ');
}

/** `GPU 71 C 98 %`; of several the hottest, which is the one that has to be known. Null: nothing is told. */
function cardsText(cards: readonly CardFacts[]): string | null {
  const [hottest] = cards.toSorted((a, b) => (b.temperatureC ?? -1) - (a.temperatureC ?? -1));
  if (hottest === undefined) return null;
  const { index, temperatureC, utilizationPercent } = hottest;
  const readings = [
    ...(temperatureC === null ? [] : [`${temperatureC} C`]),
    ...(utilizationPercent === null ? [] : [`${utilizationPercent} %`]),
  ];
  if (readings.length === 0) return null;
  return cards.length === 1 ? `GPU ${readings.join(' ')}` : `GPU ${index} of ${cards.length}: ${readings.join(' ')}`;
}

function savedText(facts: ProgressFacts, sinceMs: number): string {
  if (facts.lastDurableAgeMs === null) return 'nothing saved yet';
  const ageMs = facts.lastDurableAgeMs + sinceMs;
  return ageMs < 1_000 ? 'saved just now' : `saved ${aboutAge(ageMs)} ago`;
}

function remainingMs(facts: ProgressFacts): number | null {
  const { stepsPerSecond, totalSteps, step } = facts;
  if (totalSteps === null || stepsPerSecond === null || stepsPerSecond <= 0 || step > totalSteps) return null;
  // In whole seconds: it is an estimate.
  return Math.ceil((totalSteps - step) / stepsPerSecond) * 1_000;
}

function stopText(stop: StopInProgress, monotonic: number): string {
  const left = aboutAge(Math.max(0, stop.deadlineAt - monotonic));
  if (stop.stage === 'reaching') return `stopping: waiting for the worker, ${left} left`;
  if (stop.stage === 'saving') return `stopping: saving, ${left} left`;
  if (stop.stage === 'terminating') return `stopping: SIGTERM sent, ${left} left`;
  return 'stopping: killed';
}

function of(value: number, total: number | null): string {
  return total === null ? String(value) : `${value}/${total}`;
}

function joined(parts: readonly Part[]): string {
  return parts.map((part) => part.text).join(' · ');
}
