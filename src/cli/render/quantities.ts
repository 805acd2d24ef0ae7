/** Amounts as a person reads them at a glance: rounded, with a space before the unit. */

export { aboutAge, aboutDuration } from '../../units.ts';

/** Less than a millisecond is no amount: "65 steps, 0 ms of work" would read as a mistake. */
export function isNoticeable(ms: number): boolean {
  return ms >= 0.5;
}

/** Four significant digits; very large and very small ones in powers. */
export function aboutNumber(value: number): string {
  if (value === 0 || Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** `1 step`, `2 steps`. */
export function count(amount: number, noun: string, plural = `${noun}s`): string {
  return `${amount} ${amount === 1 ? noun : plural}`;
}
