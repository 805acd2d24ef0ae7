/** A card that has nothing to do while steps are made: they wait for data, or are too small for it. */
import { clear, KEEP, raise, type Verdict } from '../warnings/condition.ts';
import { busiest, isLongEnough, meanOf, PHASE_WORDS, type Stretch, secondsOf } from './moment.ts';

const IDLE_PERCENT = 10;
export const LITTLE_PERCENT = 60;
/** What a fed card comes to; 80 to 90 is the aim. */
const ENOUGH_PERCENT = 70;
/** A step that takes no longer is over before a card has begun. */
export const SHORT_STEP_MS = 10;

/** @param onCpu the backend is known to compute on the CPU: then the card is idle for another reason */
export function judgeIdleCard(stretch: Stretch, onCpu: boolean): Verdict {
  const load = meanOf(stretch, busiest);
  const rate = meanOf(stretch, ({ stepsPerSecond }) => stepsPerSecond);
  if (onCpu || load === null || rate === null || rate <= 0 || !isLongEnough(stretch)) return KEEP;
  if (load >= ENOUGH_PERCENT) return clear(`The GPU is busy again: ${Math.round(load)} %`);
  if (load >= LITTLE_PERCENT) return KEEP;
  const stepMs = 1000 / rate;
  const phase = PHASE_WORDS[stretch[0]?.phase ?? 'train'];
  const evidence = `The GPU was used ${Math.round(load)} % over ${secondsOf(stretch)} s of ${phase}, a step took ${shown(stepMs)} (the aim is 80 to 90 %)`;
  if (stepMs < SHORT_STEP_MS) {
    return raise(`${evidence}: the steps are too small to keep it busy`, 'Make the batches larger.');
  }
  const why = load < IDLE_PERCENT ? 'it waits for data' : 'it waits for data part of the time';
  return raise(
    `${evidence}: ${why}`,
    'Prepare batches beside the training: more loader processes, decoded data in memory or on a faster disk, larger batches.',
  );
}

function shown(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}
