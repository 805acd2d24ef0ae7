/** Training that has become slower than it was at its best in this run. */
import { clear, KEEP, raise, type Verdict } from '../warnings/condition.ts';
import { busiest, isLongEnough, meanOf, type Stretch } from './moment.ts';

export interface BestStretch {
  readonly stepsPerSecond: number;
  readonly temperatureC: number | null;
  readonly clockMhz: number | null;
  readonly load: number | null;
}

const SLOWER_SHARE = 0.7;
const RECOVERED_SHARE = 0.85;

/** @returns the better of the two; a short stretch is none */
export function betterOf(best: BestStretch | null, stretch: Stretch): BestStretch | null {
  const here = factsOf(stretch);
  return here !== null && (best === null || here.stepsPerSecond > best.stepsPerSecond) ? here : best;
}

export function judgeSlower(stretch: Stretch, best: BestStretch | null): Verdict {
  const here = factsOf(stretch);
  if (here === null || best === null) return KEEP;
  const share = here.stepsPerSecond / best.stepsPerSecond;
  if (share >= RECOVERED_SHARE) return clear('Training is as fast as before again');
  if (share > SLOWER_SHARE) return KEEP;
  const changes = [
    change('temperature', best.temperatureC, here.temperatureC, 'C'),
    change('clock', best.clockMhz, here.clockMhz, 'MHz'),
    change('load', best.load, here.load, '%'),
  ].filter((words) => words !== null);
  const meanwhile = changes.length === 0 ? '' : `; meanwhile ${changes.join(', ')}`;
  return raise(
    `Training makes ${rate(here.stepsPerSecond)} now, ${rate(best.stepsPerSecond)} at its best in this run${meanwhile}`,
    'Look what else runs on this machine (top, nkat-recover gpu), and whether the data comes as fast as before.',
  );
}

function factsOf(stretch: Stretch): BestStretch | null {
  const stepsPerSecond = meanOf(stretch, (moment) => moment.stepsPerSecond);
  if (stepsPerSecond === null || stepsPerSecond <= 0 || !isLongEnough(stretch)) return null;
  return {
    stepsPerSecond,
    temperatureC: meanOf(stretch, ({ cards }) => cards[0]?.values.temperatureC ?? null),
    clockMhz: meanOf(stretch, ({ cards }) => cards[0]?.values.clockMhz ?? null),
    load: meanOf(stretch, busiest),
  };
}

/** Only what changed by a tenth at least is worth a word. */
function change(name: string, before: number | null, now: number | null, unit: string): string | null {
  if (before === null || now === null || Math.abs(now - before) < 0.1 * Math.max(before, 1)) return null;
  return `${name} ${Math.round(before)} -> ${Math.round(now)} ${unit}`;
}

function rate(stepsPerSecond: number): string {
  return `${stepsPerSecond.toPrecision(3)} steps/s`;
}
