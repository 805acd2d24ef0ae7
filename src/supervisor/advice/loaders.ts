/** A card that waits for data while fewer loader processes run than the trainer says it keeps. */
import { clear, KEEP, raise, type Verdict } from '../warnings/condition.ts';
import { LITTLE_PERCENT, SHORT_STEP_MS } from './idle-card.ts';
import { busiest, isLongEnough, meanOf, PHASE_WORDS, type Stretch, secondsOf } from './moment.ts';

export interface Loaders {
  /** As the trainer says. */
  readonly declared: number;
  /** Processes that it has started and that live. */
  readonly running: () => number;
}

/** @param loaders null: the trainer does not say how many it keeps */
export function judgeLoaders(stretch: Stretch, loaders: Loaders | null, onCpu: boolean): Verdict {
  if (loaders === null || onCpu || !isLongEnough(stretch)) return KEEP;
  const load = meanOf(stretch, busiest);
  const rate = meanOf(stretch, ({ stepsPerSecond }) => stepsPerSecond);
  if (load === null || rate === null || rate <= 0) return KEEP;
  if (load >= LITTLE_PERCENT || 1000 / rate < SHORT_STEP_MS) return KEEP;
  // Counting them costs a look at every process of the machine.
  const { declared } = loaders;
  const running = loaders.running();
  if (running >= declared) return clear(`All ${declared} loader processes run again`);
  const phase = PHASE_WORDS[stretch[0]?.phase ?? 'train'];
  return raise(
    `Too few loader processes (${running} of ${declared} declared): the GPU was used ${Math.round(load)} % over ${secondsOf(stretch)} s of ${phase}, a step took ${Math.round(1000 / rate)} ms`,
    'Look why they ended, or were never started (nkat-recover logs --level error); a trainer that needs no more declares fewer.',
  );
}
