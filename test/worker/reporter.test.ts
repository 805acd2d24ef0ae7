import { expect, test } from 'vitest';
import { ControlBlock } from '../../src/worker/control-block.ts';
import { REPORT_EVERY_MS, Reporter } from '../../src/worker/thread/reporter.ts';

/** A reporter that is asked twice a second while a step takes so long; the rates that it told. */
function ratesOf(stepMs: number, seconds: number): readonly (number | null)[] {
  const control = new ControlBlock();
  const rates: (number | null)[] = [];
  const reporter = new Reporter(control, ({ stepsPerSecond }) => rates.push(stepsPerSecond));
  for (let ms = 0; ms <= seconds * 1_000; ms += REPORT_EVERY_MS) {
    control.position(Math.floor(ms / stepMs), 0);
    reporter.tick(ms, 0n);
  }
  return rates;
}

test('steps of many seconds have a rate, which neither falls to nothing within a step nor leaps at its end', () => {
  const rates = ratesOf(14_000, 60);
  expect(rates.slice(0, 13).every((rate) => rate === null)).toBe(true);
  const known = rates.filter((rate) => rate !== null);
  expect(known.length).toBeGreaterThan(40);
  for (const rate of known) expect(rate).toBeCloseTo(1 / 14, 6);
});

test('the rate of quick steps is that of the last seconds', () => {
  expect(ratesOf(20, 5).at(-1)).toBeCloseTo(50, 6);
});
