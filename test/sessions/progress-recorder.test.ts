import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ProgressClock, ProgressRecorder } from '../../src/sessions/progress-recorder.ts';
import type { ProgressPatch } from '../../src/sessions/types.ts';

class VirtualClock implements ProgressClock {
  #now = 0;
  #due: { at: number; callback: () => void } | null = null;

  now(): number {
    return this.#now;
  }

  schedule(callback: () => void, ms: number): () => void {
    expect(this.#due).toBeNull();
    this.#due = { at: this.#now + ms, callback };
    return () => {
      this.#due = null;
    };
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.#due !== null && this.#due.at <= end) {
      const { at, callback } = this.#due;
      this.#due = null;
      this.#now = at;
      callback();
    }
    this.#now = end;
  }
}

const patch = (step: number): ProgressPatch => ({ epoch: 0, step, totalSteps: null, loss: null });

test('one row a second, the newest wins, and the last is never left out', () => {
  const clock = new VirtualClock();
  const rows: [number, number][] = [];
  const recorder = new ProgressRecorder(({ step }) => rows.push([clock.now(), step]), clock);
  for (let step = 1; step <= 25; step += 1) {
    recorder.record(patch(step));
    clock.advance(100);
  }
  expect(rows).toEqual([
    [0, 1],
    [1000, 10],
    [2000, 20],
  ]);
  clock.advance(5000);
  expect(rows.at(-1)).toEqual([3000, 25]);
  recorder.record(patch(30));
  recorder.record(patch(31));
  recorder.flush();
  expect(rows.slice(-2).map(([, step]) => step)).toEqual([30, 31]);
  recorder.flush();
  clock.advance(5000);
  expect(rows).toHaveLength(6);
});

test('however progress comes, rows are a second apart and the newest is written within one', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { maxLength: 60 }), (gaps) => {
      const clock = new VirtualClock();
      const rows: { at: number; step: number }[] = [];
      const recorder = new ProgressRecorder(({ step }) => rows.push({ at: clock.now(), step }), clock);
      for (const [step, gap] of gaps.entries()) {
        recorder.record(patch(step));
        clock.advance(gap);
      }
      clock.advance(1000);
      for (const [index, row] of rows.entries()) {
        if (index > 0) expect(row.at - (rows[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(1000);
      }
      expect(rows.at(-1)?.step).toBe(gaps.length === 0 ? undefined : gaps.length - 1);
    }),
  );
});
