import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Happening } from '../../../src/supervisor/machine/event.ts';
import { MAX_WITHOUT_PROGRESS } from '../../../src/supervisor/machine/restart-policy.ts';
import { nextDeadlineMs } from '../../../src/supervisor/machine/transition.ts';
import { Rig } from './rig.ts';

const end = fc.record({
  code: fc.option(fc.constantFrom(0, 1, 75, 93, 137), { nil: null }),
  signal: fc.constantFrom<NodeJS.Signals | null>(null, 'SIGKILL', 'SIGSEGV', 'SIGTERM'),
  source: fc.constantFrom('exit' as const, 'record' as const, 'vanished' as const),
});
const small = fc.nat({ max: 6 });
const phase = fc.constantFrom('load' as const, 'train' as const, 'eval' as const);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    type: fc.constant('orphan-found' as const),
    attempt: small,
    resumedFrom: fc.constant(null),
    spoke: fc.boolean(),
  }),
  fc.record({ type: fc.constant('no-orphan' as const), unseenEnd: fc.constant(null) }),
  fc.record({ type: fc.constant('checkpoint-chosen' as const), sequence: small, steppedBack: fc.boolean() }),
  fc.record({ type: fc.constant('no-checkpoint' as const), reason: fc.constant('x'), missing: fc.boolean() }),
  fc.record({
    type: fc.constant('spawn-failed' as const),
    errno: fc.constantFrom('ENOENT', 'ENOSPC'),
    reason: fc.constant('x'),
  }),
  fc.record({
    type: fc.constant('worker-connected' as const),
    welcomed: fc.boolean(),
    phase,
    step: small,
    lastSaved: fc.constant(null),
  }),
  fc.constant({ type: 'channel-closed' as const }),
  fc.record({ type: fc.constant('phase-changed' as const), phase }),
  fc.record({ type: fc.constant('progressed' as const), phase, step: small, lastStepAgeMs: fc.nat({ max: 1e6 }) }),
  fc.constant({ type: 'save-started' as const }),
  fc.record({
    type: fc.constant('save-durable' as const),
    request: fc.constantFrom(null, 'stop-1'),
    sequence: small,
    step: small,
    tookMs: fc.nat({ max: 1e7 }),
  }),
  fc.record({
    type: fc.constant('checkpoint-verified' as const),
    sequence: small,
    step: small,
    kinds: fc.constantFrom(['auto'], ['emergency'], ['auto', 'emergency']),
  }),
  fc.record({
    type: fc.constant('save-failed' as const),
    request: fc.constantFrom(null, 'stop-1'),
    code: fc.constantFrom('io', 'no-space'),
    message: fc.constant('x'),
  }),
  fc.record({ type: fc.constant('diverged' as const), step: small, loss: fc.constant('NaN'), adapts: fc.boolean() }),
  fc.constant({ type: 'worker-done' as const }),
  fc.record({ type: fc.constant('worker-ended' as const), end }),
  fc.constant({ type: 'group-gone' as const }),
  fc.constant({ type: 'group-unkillable' as const, survivors: [] }),
  fc.record({
    type: fc.constant('evidence-gathered' as const),
    evidence: fc.constant({ stderrTail: [], oomRecord: null }),
    random: fc.constant(0.5),
  }),
  fc.record({ type: fc.constant('confirmation' as const), verified: fc.boolean(), reason: fc.constant('x') }),
  fc.record({
    type: fc.constant('stop-signal' as const),
    signal: fc.constantFrom('SIGINT' as const, 'SIGTERM' as const),
  }),
  fc.record({ type: fc.constant('woke-late' as const), gapMs: fc.nat({ max: 1e6 }) }),
  fc.constant({ type: 'time-passed' as const }),
);

test('any event in any state: total, no launch after a stop signal or the end, budgets never exceeded', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(happening, fc.nat({ max: 200_000 })), { maxLength: 120 }), (script) => {
      const rig = new Rig();
      let launchesSinceProgress = 0;
      let highest = -1;
      for (const [event, waitMs] of script) {
        rig.nowMs += waitMs;
        const before = rig.state;
        rig.happen(event);
        if (before.kind === 'ended') expect(rig.state).toBe(before);
        if (rig.state.ledger.budget.highestVerifiedStep > highest) {
          highest = rig.state.ledger.budget.highestVerifiedStep;
          launchesSinceProgress = 0;
        }
        if (rig.has('launch-worker')) {
          expect(before.ledger.stopSignal).toBeNull();
          launchesSinceProgress += 1;
          // The attempt that made the progress is not one of the six.
          expect(launchesSinceProgress).toBeLessThanOrEqual(MAX_WITHOUT_PROGRESS + 1);
        }
        expect(nextDeadlineMs(rig.state, rig.settings)).not.toBeNaN();
      }
    }),
    { numRuns: 3_000 },
  );
});

test('between two regular checkpoints at most two restarts come at once, however the attempts come further', () => {
  const crash = fc.constantFrom<[number | null, NodeJS.Signals | null]>(
    [1, null],
    [null, 'SIGKILL'],
    [null, 'SIGSEGV'],
  );
  const attempt = fc.record({ gain: fc.nat({ max: 2 }), crash, regular: fc.integer({ min: 0, max: 9 }) });
  fc.assert(
    fc.property(fc.array(attempt, { minLength: 3, maxLength: 60 }), (attempts) => {
      const rig = new Rig();
      let atOnce = 0;
      let sequence = 0;
      for (const { gain, crash: end, regular } of attempts) {
        const { highestVerifiedStep: before } = rig.state.ledger.budget;
        rig.train(null, Math.max(0, before));
        const step = Math.max(0, before) + gain;
        sequence += 1;
        const isRegular = regular === 0;
        rig.steps(step).saved(sequence, step, null, [isRegular ? 'auto' : 'emergency']);
        const [code, signal] = end;
        rig.die(signal, code);
        if (rig.state.kind === 'ended') return;
        if (isRegular && step > before) atOnce = 0;
        else if (rig.state.kind === 'preflight') atOnce += 1;
        expect(atOnce).toBeLessThanOrEqual(2);
        const { crashSaves = 0 } = rig.state.ledger.budget;
        const waitMs = rig.state.kind === 'backing-off' ? rig.state.untilMs - rig.nowMs : 0;
        if (crashSaves > 1) expect(waitMs).toBeGreaterThanOrEqual(Math.min(300_000, 5_000 * 2 ** (crashSaves - 2)));
      }
    }),
    { numRuns: 500 },
  );
});

test('every path ends: a worker that dies at each launch is launched a bounded number of times', () => {
  fc.assert(
    fc.property(fc.infiniteStream(end), (ends) => {
      const rig = new Rig();
      let launches = 0;
      for (const workerEnd of ends) {
        rig.train();
        launches += 1;
        rig.happen({ type: 'worker-ended', end: workerEnd }).happen({ type: 'group-gone' });
        rig.happen({ type: 'evidence-gathered', evidence: { stderrTail: [], oomRecord: null }, random: 0.5 });
        if (rig.state.kind === 'ended') break;
        expect(launches).toBeLessThan(MAX_WITHOUT_PROGRESS);
      }
    }),
  );
});
