import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Happening } from '../../../src/supervisor/machine/event.ts';
import { MAX_WITHOUT_PROGRESS } from '../../../src/supervisor/machine/restart-policy.ts';
import type { State } from '../../../src/supervisor/machine/state.ts';
import { nextDeadlineMs } from '../../../src/supervisor/machine/transition.ts';
import { fuzzing } from '../../fuzz/runs.ts';
import { happenings, workerEnd } from './happenings.ts';
import { Rig } from './rig.ts';

/** The design's states and what may follow each (section 3). Nothing follows the end. */
const FOLLOWING: Readonly<Record<State['kind'], readonly State['kind'][]>> = {
  opening: ['adopting', 'preflight', 'backing-off', 'confirming', 'stopping', 'ended'],
  adopting: ['running', 'stopping', 'reaping'],
  preflight: ['starting', 'ended'],
  starting: ['running', 'stopping', 'reaping', 'backing-off', 'ended'],
  running: ['saving', 'stopping', 'reaping'],
  saving: ['running', 'stopping', 'reaping'],
  stopping: ['reaping'],
  reaping: ['classifying', 'ended'],
  classifying: ['confirming', 'preflight', 'backing-off', 'awaiting-card', 'ended'],
  confirming: ['ended'],
  'backing-off': ['preflight', 'ended'],
  'awaiting-card': ['preflight', 'ended'],
  ended: [],
};

/** What usually comes in each state: left to chance alone, a session would hardly ever get to train. */
const USUAL: Readonly<Record<State['kind'], readonly Happening['type'][]>> = {
  opening: ['no-orphan', 'orphan-found'],
  adopting: ['worker-connected', 'checkpoint-chosen', 'time-passed'],
  preflight: ['checkpoint-chosen'],
  starting: ['worker-connected', 'spawn-failed', 'worker-ended', 'time-passed'],
  running: [
    'progressed',
    'save-started',
    'phase-changed',
    'checkpoint-verified',
    'worker-done',
    'channel-closed',
    'diverged',
    'card-overheated',
  ],
  saving: ['save-durable', 'save-failed', 'progressed', 'checkpoint-verified'],
  stopping: [
    'request-acknowledged',
    'save-durable',
    'save-failed',
    'checkpoint-verified',
    'worker-ended',
    'time-passed',
  ],
  reaping: ['group-gone', 'worker-ended'],
  classifying: ['evidence-gathered'],
  confirming: ['confirmation'],
  'backing-off': ['time-passed'],
  'awaiting-card': ['card-ready', 'time-passed', 'stop-signal'],
  ended: [],
};

interface Moment {
  readonly candidates: readonly Happening[];
  readonly hostile: boolean;
  readonly waitMs: number;
}
const moment: fc.Arbitrary<Moment> = fc.record({
  /** The first that is usual in the state comes; the last, whatever it is, where none is. */
  candidates: fc.array(happenings(), { minLength: 4, maxLength: 4 }),
  hostile: fc.integer({ min: 0, max: 9 }).map((roll) => roll < 2),
  waitMs: fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: 2_000 }) },
    { weight: 1, arbitrary: fc.nat({ max: 400_000 }) },
  ),
});
const script = fc.array(moment, { maxLength: 100, size: 'max' });
const settings = fc.record({
  maxRestarts: fc.option(fc.nat({ max: 8 }), { nil: null }),
  noRestartCodes: fc.constantFrom([], [255]),
  waitForGpu: fc.boolean(),
});

/** Lets it happen; returns the state before. */
function next(rig: Rig, { candidates, hostile, waitMs }: Moment): State {
  const before = rig.state;
  rig.nowMs += waitMs;
  const usual = hostile ? undefined : candidates.find(({ type }) => USUAL[before.kind].includes(type));
  const event = usual ?? candidates.at(-1);
  // Who woke late has slept meanwhile.
  if (event?.type === 'woke-late') rig.nowMs += event.gapMs;
  if (event !== undefined) rig.happen(event);
  return before;
}

test('any event in any state: total, no forbidden transition, no launch after a stop or the end, budgets never exceeded', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(settings, script, (chosen, moments) => {
      const rig = new Rig(chosen);
      let launchesSinceProgress = 0;
      let highest = -1;
      for (const now of moments) {
        const before = next(rig, now);
        const { kind, ledger } = rig.state;
        const move = `${before.kind} -> ${kind}`;
        if (kind !== before.kind) seen.add(move);
        // An assertion costs more than all of the machine's work; so only what went wrong is asserted.
        if (kind !== before.kind && !FOLLOWING[before.kind].includes(kind)) expect.fail(`forbidden: ${move}`);
        if (before.kind === 'ended') expect(rig.state).toBe(before);
        if (ledger.budget.highestVerifiedStep > highest) {
          highest = ledger.budget.highestVerifiedStep;
          launchesSinceProgress = 0;
        }
        // It waits until the card is cool, however often: nobody's fault, and not counted.
        if (before.kind === 'awaiting-card' && kind === 'preflight') launchesSinceProgress -= 1;
        if (rig.has('launch-worker')) {
          expect(before.ledger.stopSignal).toBeNull();
          launchesSinceProgress += 1;
          // The attempt that made the progress is not one of the six.
          expect(launchesSinceProgress).toBeLessThanOrEqual(MAX_WITHOUT_PROGRESS + 1);
        }
        if (Number.isNaN(nextDeadlineMs(rig.state, rig.settings))) expect.fail(`no time in ${kind}`);
      }
      // What the next supervisor reads is what this one knew.
      expect(JSON.parse(JSON.stringify(rig.state.ledger))).toEqual(rig.state.ledger);
      // Those of which each is a restart: requested ones, power cuts and launches that found no room are not counted.
      if (chosen.maxRestarts !== null) expect(rig.state.ledger.budget.restarts).toBeLessThanOrEqual(chosen.maxRestarts);
    }),
    fuzzing(1_000),
  );
  // Proof that the chances above lead everywhere; two crashes without progress in between are too rare to count on.
  const possible = Object.entries(FOLLOWING).flatMap(([from, kinds]) => kinds.map((to) => `${from} -> ${to}`));
  const never = possible.filter((move) => !seen.has(move) && move !== 'classifying -> backing-off');
  expect(never).toEqual([]);
});

test('whatever came before, a stop ends the session, without another launch, in bounded time', () => {
  fc.assert(
    fc.property(script, fc.infiniteStream(fc.boolean()), (moments, answers) => {
      const rig = new Rig();
      for (const now of moments) next(rig, now);
      const stoppedAtMs = rig.nowMs;
      rig.happen({ type: 'stop-signal', signal: 'SIGINT' });
      for (let step = 0; rig.state.kind !== 'ended'; step++) {
        expect(step, `still ${rig.state.kind}`).toBeLessThan(30);
        answer(rig, answers.next().value === true);
        expect(rig.has('launch-worker')).toBe(false);
      }
      // The longest grace, then the time between SIGTERM and SIGKILL, and what an adoption may wait.
      expect(rig.nowMs - stoppedAtMs).toBeLessThanOrEqual(16 * 60_000);
    }),
    fuzzing(500),
  );
});

/** What the acting parts do, sooner or later, for a state that waits for them; a worker does nothing any more. */
function answer(rig: Rig, kindly: boolean): void {
  const evidence = { stderrTail: [], oomRecord: null };
  switch (rig.state.kind) {
    case 'opening':
      rig.happen({ type: 'no-orphan', unseenEnd: null });
      return;
    case 'reaping':
      rig.happen(kindly ? { type: 'group-gone' } : { type: 'group-unkillable', survivors: [] });
      return;
    case 'classifying':
      rig.happen({ type: 'evidence-gathered', evidence, random: 0.5 });
      return;
    case 'confirming':
      rig.happen({ type: 'confirmation', verified: kindly, reason: 'x' });
      return;
    default:
      rig.passDeadline();
  }
}

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
    fc.property(fc.infiniteStream(workerEnd), (ends) => {
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
