/** The clocks that words about time are made with. */

export interface Clocks {
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
  /** Never set back, ms. */
  readonly monotonic: () => number;
}

export const SYSTEM_CLOCKS: Clocks = { now: () => Date.now(), monotonic: () => performance.now() };
