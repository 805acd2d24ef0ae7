/**
 * Which share of the time training stands still so that a card keeps a temperature: a proportional-integral controller. Its gains fit
 * cards whose temperature follows their load within 10 s to 3 minutes, by 20 to 80 degrees between idle and full load. Pure.
 */

export interface Duty {
  /** From 0 to `MAX_SHARE`. */
  readonly share: number;
  /** What sustained heat has added up to, as a share. */
  readonly integral: number;
}

export const NO_DUTY: Duty = { share: 0, integral: 0 };

/** Training never comes to rest by this alone. */
export const MAX_SHARE = 0.9;
/** Share for each degree too many: with 60 degrees between idle and full load the loop gain is below 2. */
const PER_DEGREE = 0.03;
/** Of the same, in so many seconds of one degree too many: about as slow as a card itself. */
const INTEGRAL_S = 40;
/** Cards tell whole degrees: so near to what is to be held there is nothing to correct, and the share comes to rest. */
const CLOSE_C = 1;
/** A reading that comes much later says nothing of the time in between. */
const LONGEST_STEP_S = 5;

/** @param excessC degrees above what is to be held; @param elapsedS since the reading before */
export function stepDuty({ integral: before }: Duty, excessC: number, elapsedS: number): Duty {
  const seconds = Math.min(LONGEST_STEP_S, Math.max(0, elapsedS));
  const wrongC = Math.sign(excessC) * Math.max(0, Math.abs(excessC) - CLOSE_C);
  const proportional = PER_DEGREE * wrongC;
  const summed = clamp(before + (PER_DEGREE * wrongC * seconds) / INTEGRAL_S);
  const share = clamp(proportional + summed);
  // What cannot be done is not added up, else it would have to be worked off again.
  const saturated = proportional + summed > MAX_SHARE && wrongC > 0;
  return { share, integral: saturated ? before : summed };
}

function clamp(share: number): number {
  return Math.min(MAX_SHARE, Math.max(0, share));
}
