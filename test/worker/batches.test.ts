import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchCount, batchesOf } from '../../src/worker/batches.ts';
import { Position } from '../../src/worker/position.ts';
import { sampleOrder } from '../../src/worker/sample-order.ts';

interface Plan {
  length: number;
  size: number;
  seed: number | null;
  drop: boolean;
  epochs: number;
  passes: number;
}

const plans = fc.record({
  length: fc.integer({ min: 0, max: 40 }),
  size: fc.integer({ min: 1, max: 9 }),
  seed: fc.option(fc.integer(), { nil: null }),
  drop: fc.boolean(),
  epochs: fc.integer({ min: 1, max: 3 }),
  passes: fc.integer({ min: 1, max: 2 }),
});

/** Trains until `stopAt` steps in all; returns the batches seen, with epoch and pass. */
function train(position: Position, plan: Plan, stopAt = Number.POSITIVE_INFINITY, scale = 1): string[] {
  const seen: string[] = [];
  const data = Array.from({ length: plan.length }, (_, at) => at);
  while (position.epoch < plan.epochs) {
    for (let pass = 0; pass < plan.passes; pass++) {
      const batches = batchesOf(data, {
        epoch: position.epoch,
        options: plan,
        scale,
        begin: (facts) => ({ start: position.beginPass(facts), pass: position.pass }),
        yielded: (sample) => position.yielded(sample),
        ended: () => undefined,
      });
      for (const batch of batches) {
        if (position.step === stopAt) return seen;
        seen.push(`${position.epoch}/${pass}: ${(batch as number[]).join(' ')}`);
        position.stepMade();
      }
    }
    position.epochMade();
  }
  return seen;
}

test('resumed at any step, the order of the rest equals the uninterrupted one', () => {
  fc.assert(
    fc.property(plans, fc.nat(60), (plan, at) => {
      const uninterrupted = train(new Position(), plan);
      const first = new Position();
      const before = train(first, plan, at);
      const resumed = new Position();
      resumed.putBack(JSON.parse(JSON.stringify(first.state())) as ReturnType<Position['state']>);
      expect([...before, ...train(resumed, plan)]).toEqual(uninterrupted);
      expect(resumed.state().step).toBe(uninterrupted.length);
    }),
    { numRuns: 300 },
  );
});

test('every sample comes once a pass; epochs and passes differ in order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 500 }), fc.integer(), fc.nat(10), (length, seed, epoch) => {
      const order = sampleOrder(length, seed, epoch, 0);
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, at) => at));
    }),
  );
  const orders = [
    sampleOrder(64, 7, 0, 0),
    sampleOrder(64, 7, 1, 0),
    sampleOrder(64, 7, 0, 1),
    sampleOrder(64, 8, 0, 0),
  ];
  expect(new Set(orders.map((order) => order.join())).size).toBe(orders.length);
});

test('no seed: the natural order; drop: no short batch', () => {
  const position = new Position();
  expect(train(position, { length: 5, size: 2, seed: null, drop: false, epochs: 1, passes: 1 })).toEqual([
    '0/0: 0 1',
    '0/0: 2 3',
    '0/0: 4',
  ]);
  expect(train(new Position(), { length: 5, size: 2, seed: null, drop: true, epochs: 1, passes: 1 })).toHaveLength(2);
  expect(batchCount({ length: 5, size: 2, seed: null, drop: true })).toBe(2);
  expect(batchCount({ length: 5, size: 2, seed: null, drop: false })).toBe(3);
});

test('data that takes its own batches gets the numbers of the samples', () => {
  const position = new Position();
  const data = { length: 4, take: (indices: Int32Array) => `taken ${[...indices].join(',')}` };
  const batches = batchesOf(data, {
    epoch: 0,
    options: { size: 3, seed: null, drop: false },
    begin: (facts) => ({ start: position.beginPass(facts), pass: position.pass }),
    yielded: () => undefined,
    ended: () => undefined,
  });
  expect([...batches]).toEqual(['taken 0,1,2', 'taken 3']);
});

test('a pass that the trainer leaves early has ended', () => {
  const position = new Position();
  let ended = 0;
  const batches = batchesOf<number, never>([1, 2, 3, 4], {
    epoch: 0,
    options: { size: 1, seed: null, drop: false },
    begin: (facts) => ({ start: position.beginPass(facts), pass: position.pass }),
    yielded: () => undefined,
    ended: () => ended++,
  });
  for (const [first] of batches) if (first === 2) break;
  expect(ended).toBe(1);
});

const facts = { length: 100, size: 10, seed: 7, drop: false };

test.each([
  [{ ...facts, length: 90 }, '90 samples instead of 100'],
  [{ ...facts, size: 20 }, 'batches of 20 instead of 10'],
  [{ ...facts, seed: 8 }, 'seed 8 instead of 7'],
  [{ ...facts, drop: true }, 'the last short batch is dropped now'],
])('a pass is not taken up in its middle over changed data: %j', (changed, words) => {
  const position = new Position();
  position.beginPass(facts);
  position.yielded(10);
  position.stepMade();
  const resumed = new Position();
  resumed.putBack(position.state());
  expect(() => resumed.beginPass(changed)).toThrow(
    expect.objectContaining({ code: 'state-mismatch', message: expect.stringContaining(words) }),
  );
});

test('at the head of an epoch changed data is told and taken', () => {
  const position = new Position();
  position.beginPass(facts);
  position.stepMade();
  position.epochMade();
  const resumed = new Position();
  resumed.putBack(position.state());
  expect(resumed.beginPass({ ...facts, length: 110 })).toMatchObject({
    kind: 'from',
    sample: 0,
    differs: '110 samples instead of 100',
  });
});

test('a size that is no whole number is refused', () => {
  expect(() => train(new Position(), { length: 5, size: 0, seed: 1, drop: false, epochs: 1, passes: 1 })).toThrow(
    'size',
  );
  expect(() => train(new Position(), { length: 5, size: 1.5, seed: 1, drop: false, epochs: 1, passes: 1 })).toThrow(
    'size',
  );
});

test('a second step of one batch is known, of the next one, of a pass that is over, of counted steps it is not', () => {
  const position = new Position();
  const batches = batchesOf([1, 2, 3, 4], {
    epoch: 0,
    options: { size: 2, seed: null, drop: false },
    begin: (facts) => ({ start: position.beginPass(facts), pass: position.pass }),
    yielded: (sample) => position.yielded(sample),
    ended: () => position.passEnded(),
  });
  const shared: boolean[] = [];
  const step = (): void => {
    position.stepMade();
    shared.push(position.sharesBatch);
  };
  batches.next();
  step();
  step();
  batches.next();
  step();
  batches.next();
  step();
  step();
  expect(shared).toEqual([false, true, false, false, false]);
  const counted = new Position();
  counted.beginPass({ length: 9, size: 1, seed: null, drop: false, unit: 'step' });
  counted.yielded(1);
  counted.stepMade();
  counted.stepMade();
  expect(counted.sharesBatch).toBe(false);
});

test('batches are halved in the middle of an epoch: every sample is trained once, in the same order', () => {
  const plan = { length: 22, size: 8, seed: 3, drop: false, epochs: 1, passes: 1 };
  const samplesOf = (batches: readonly string[]): string => batches.map((batch) => batch.split(': ')[1]).join(' ');
  const whole = train(new Position(), plan);
  const before = new Position();
  const first = train(before, plan, 1);
  const after = new Position();
  after.putBack(before.state());
  const rest = train(after, plan, Number.POSITIVE_INFINITY, 0.25);
  expect(rest.map((batch) => batch.split(': ')[1]?.split(' ').length)).toEqual([2, 2, 2, 2, 2, 2, 2]);
  expect(samplesOf([...first, ...rest])).toBe(samplesOf(whole));
  expect(batchCount({ ...plan }, 0.25)).toBe(11);
});
