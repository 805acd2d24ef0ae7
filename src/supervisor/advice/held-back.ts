/** A busy card whose clocks are held down: by heat, by its power limit, or by a setting that somebody left behind. */
import { type ClockReason, clockReasonsOf } from '../../gpu/clock-reasons.ts';
import type { GpuSample } from '../../gpu/sample.ts';
import { clear, KEEP, raise, type Verdict } from '../warnings/condition.ts';
import { isLongEnough, type Moment, meanOf, type Stretch, secondsOf, shareOf } from './moment.ts';

const HEAT: readonly ClockReason[] = ['software-thermal', 'hardware-thermal', 'hardware-slowdown'];
const POWER: readonly ClockReason[] = ['power-cap', 'power-brake'];
/** Of the moments of a stretch. */
const MOSTLY = 0.6;
const SELDOM = 0.2;
/** At its power limit a card of today is always by some percent; that much is worth a word. */
const SLOWED_SHARE = 0.85;
/** Far below what it could do, and nothing says why. */
const LOW_SHARE = 0.5;
const RECOVERED_SHARE = 0.7;
/** An idle card clocks down, as it should. */
const BUSY_PERCENT = 50;

/** @param at position of the card among those of the worker */
export function judgeHeat(stretch: Stretch, at: number): Verdict {
  const share = shareOf(stretch, has(at, HEAT));
  if (!isLongEnough(stretch)) return KEEP;
  const card = stretch.at(-1)?.cards[at];
  if (share <= SELDOM) return clear(`${nameOf(card)} is no longer slowed down by heat`);
  if (share < MOSTLY) return KEEP;
  const temperature = Math.round(meanOf(stretch, ({ cards }) => cards[at]?.values.temperatureC ?? null) ?? 0);
  return raise(
    `${nameOf(card)} is slowed down by heat: in ${percent(share)} of ${secondsOf(stretch)} s, at ${temperature} C${clockWords(stretch, at)}`,
    'Look at dust, fans and the air in the case; a lower power limit (sudo nvidia-smi -pl <watts>) costs less than this.',
  );
}

export function judgePower(stretch: Stretch, at: number): Verdict {
  const share = shareOf(stretch, has(at, POWER));
  const speed = speedOf(stretch, at);
  if (!isLongEnough(stretch)) return KEEP;
  const card = stretch.at(-1)?.cards[at];
  if (share <= SELDOM) return clear(`${nameOf(card)} is no longer held back by its power limit`);
  if (share < MOSTLY || speed === null || speed > SLOWED_SHARE) return KEEP;
  const { powerLimitW } = card?.values ?? {};
  const draw = meanOf(stretch, ({ cards }) => cards[at]?.values.powerW ?? null);
  const watts = draw === null || powerLimitW == null ? '' : `, ${Math.round(draw)} of ${Math.round(powerLimitW)} W`;
  return raise(
    `${nameOf(card)} is held back by its power limit: in ${percent(share)} of ${secondsOf(stretch)} s${watts}${clockWords(stretch, at)}`,
    'nkat-recover doctor says whether the limit was lowered; sudo nvidia-smi -pl <watts> sets it.',
  );
}

export function judgeLowClocks(stretch: Stretch, at: number): Verdict {
  const speed = speedOf(stretch, at);
  const load = meanOf(stretch, ({ cards }) => cards[at]?.values.utilizationPercent ?? null);
  if (!isLongEnough(stretch) || speed === null || load === null) return KEEP;
  const card = stretch.at(-1)?.cards[at];
  if (speed >= RECOVERED_SHARE) return clear(`${nameOf(card)} runs at its usual clock again`);
  const isExplained = shareOf(stretch, has(at, [...HEAT, ...POWER])) > SELDOM;
  if (speed > LOW_SHARE || load < BUSY_PERCENT || isExplained) return KEEP;
  return raise(
    `${nameOf(card)} is stuck at a low clock though it is used ${Math.round(load)} %, without heat or power as a reason${clockWords(stretch, at)}`,
    `sudo nvidia-smi -i ${card?.values.index ?? '<index>'} -rgc and -rac take back clocks that were set; otherwise reboot.`,
  );
}

function has(at: number, reasons: readonly ClockReason[]): (moment: Moment) => boolean {
  return ({ cards }) => clockReasonsOf(cards[at]?.values.clockReasons ?? 0).some((each) => reasons.includes(each));
}

/** Present clock against the highest, 0 to 1. */
function speedOf(stretch: Stretch, at: number): number | null {
  return meanOf(stretch, ({ cards }) => {
    const { clockMhz = null, clockMaxMhz = null } = cards[at]?.values ?? {};
    return clockMhz === null || clockMaxMhz === null || clockMaxMhz === 0 ? null : clockMhz / clockMaxMhz;
  });
}

function clockWords(stretch: Stretch, at: number): string {
  const clock = meanOf(stretch, ({ cards }) => cards[at]?.values.clockMhz ?? null);
  const most = stretch.at(-1)?.cards[at]?.values.clockMaxMhz ?? null;
  return clock === null || most === null ? '' : `, ${Math.round(clock)} of ${most} MHz`;
}

function nameOf(card: GpuSample | undefined): string {
  return `GPU ${card?.values.index ?? '?'}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
