import { describe, expect, test } from 'vitest';
import type { UnseenEnd } from '../../../src/supervisor/machine/event.ts';
import {
  backoffMs,
  creditProgress,
  decideRestart,
  learningRateScale,
  MAX_DIVERGENCES,
  MAX_WITHOUT_PROGRESS,
  progressIn,
  renewBudget,
} from '../../../src/supervisor/machine/restart-policy.ts';
import { FRESH_BUDGET } from '../../../src/words.ts';
import { Rig, SETTINGS } from './rig.ts';

const VANISHED: UnseenEnd = {
  end: { code: null, signal: null, source: 'vanished' },
  bootChanged: false,
  resumedFrom: null,
  final: null,
  verifiedStep: -1,
  regularStep: -1,
  note: null,
};

/** Attempts that each die one step further, saved by nothing but their crash. @returns the delay after each */
function dieOnward(rig: Rig, attempts: number): number[] {
  const delays: number[] = [];
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const from = Math.max(0, rig.state.ledger.budget.highestVerifiedStep);
    rig.train(from === 0 ? null : from, from);
    rig.steps(from + 1).saved(from + 1, from + 1, null, ['emergency']);
    const at = rig.nowMs;
    rig.die(null, 1);
    delays.push(rig.state.kind === 'backing-off' ? rig.state.untilMs - at : 0);
  }
  return delays;
}

describe('a crash that saves itself', () => {
  test('one step further each time is progress, never given up, but restarts wait longer and longer', () => {
    const rig = new Rig();
    const delays = dieOnward(rig, 30);
    expect(delays.slice(0, 9)).toEqual([0, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    expect(delays.at(-1)).toBe(300_000);
    expect(rig.state.kind).toBe('backing-off');
    expect(rig.effects).toContainEqual(expect.objectContaining({ type: 'announce-restart', crashSaves: 30 }));
    expect(rig.state.ledger.budget).toMatchObject({ crashSaves: 30, withoutProgress: 0, highestVerifiedStep: 30 });
  });

  test.each([[['auto']], [['best']], [['manual']], [['auto', 'emergency']]])(
    'a verified save of kind %s starts the count over',
    (kinds) => {
      const rig = new Rig();
      dieOnward(rig, 4);
      rig.train(4, 4).steps(6).saved(6, 5, null, kinds).saved(7, 6, null, ['emergency']).die(null, 1);
      expect(rig.state.kind).toBe('preflight');
      expect(rig.state.ledger.budget.crashSaves ?? 0).toBe(0);
      expect(dieOnward(rig, 2)).toEqual([0, 5_000]);
    },
  );

  test('attempts without any progress in between do not shorten the wait', () => {
    const rig = new Rig();
    expect(dieOnward(rig, 3)).toEqual([0, 5_000, 10_000]);
    rig.train(3, 3).die(null, 1);
    expect(rig.state.kind === 'backing-off' && rig.state.untilMs - rig.nowMs).toBe(20_000);
    expect(dieOnward(rig, 1)).toEqual([20_000]);
  });

  test('seen or unseen, the count survives the supervisor; the operator may renew it after a giving-up', () => {
    const rig = new Rig();
    dieOnward(rig, 3);
    const again = new Rig();
    again.state = { kind: 'opening', ledger: rig.state.ledger };
    const end = { code: 1, signal: null, source: 'record' } as const;
    const unseen = { end, bootChanged: false, resumedFrom: 3, final: null, note: null };
    again.happen({ type: 'no-orphan', unseenEnd: { ...unseen, verifiedStep: 4, regularStep: 2 } });
    expect(again.state.ledger.budget).toMatchObject({ crashSaves: 4, highestVerifiedStep: 4 });
    again.state = { kind: 'opening', ledger: again.state.ledger };
    again.happen({ type: 'no-orphan', unseenEnd: { ...unseen, verifiedStep: 6, regularStep: 5 } });
    expect(again.state.ledger.budget.crashSaves ?? 0).toBe(0);
    expect(renewBudget(rig.state.ledger.budget).crashSaves).toBeUndefined();
  });

  test('who asks to be restarted did not crash', () => {
    const rig = new Rig().train().steps(5).saved(1, 5, null, ['emergency']).die(null, 75);
    expect(rig.state.kind).toBe('preflight');
    expect(rig.state.ledger.budget.crashSaves ?? 0).toBe(0);
  });
});

describe('restart budget', () => {
  test('a killed worker is launched again at once from the newest checkpoint', () => {
    const rig = new Rig().train().steps(100).saved(1, 90).die();
    expect(rig.state.kind).toBe('preflight');
    expect(rig.effects).toContainEqual({ type: 'choose-checkpoint', stepBackFrom: null });
  });

  test('restarts are unlimited while each attempt verifies a higher step', () => {
    const rig = new Rig().train();
    for (let attempt = 1; attempt <= 50; attempt += 1) {
      rig
        .steps(attempt * 10)
        .saved(attempt, attempt * 10)
        .die();
      expect(rig.state.kind).toBe('preflight');
      rig.train(attempt, attempt * 10);
    }
    expect(rig.state.ledger.budget.restarts).toBe(50);
  });

  test('re-verifying a step that was verified before is no progress', () => {
    const rig = new Rig().train().steps(10).saved(1, 10).die().train(1, 10);
    rig.saved(2, 10);
    expect(rig.state.kind === 'running' && progressIn(rig.state.ledger.budget, rig.state.launch.attempt)).toBe('none');
  });

  /** Chosen from, and killed before anybody heard that its newer checkpoint was read back. */
  const comesFurther = (rig: Rig, step: number, kinds: readonly string[]): void => {
    if (rig.state.kind === 'backing-off') rig.passDeadline();
    rig.happen({ type: 'checkpoint-chosen', sequence: step, steppedBack: false, verified: { step, kinds } });
    rig.happen({ type: 'worker-connected', welcomed: false, phase: 'train', step, lastSaved: null });
    rig.die();
  };

  test('a save that nobody heard to be verified is progress once it is chosen: no checkpoint is blamed, and none gives up', () => {
    const rig = new Rig().train().steps(20).saved(20, 20).die();
    for (let step = 21; step <= 40; step += 1) {
      comesFurther(rig, step, ['auto']);
      expect(rig.state).toMatchObject({ kind: 'preflight', stepBackFrom: null });
      expect(rig.state.ledger.budget).toMatchObject({ highestVerifiedStep: step, fromSameCheckpoint: 1 });
    }
    // The same one again is no more than it was.
    comesFurther(rig, 40, ['auto']);
    expect(rig.state).toMatchObject({ kind: 'backing-off', stepBackFrom: 40 });
  });

  test('what crashes left behind as they died is chosen ever more slowly, also where nobody heard of it', () => {
    const rig = new Rig().train().steps(20).saved(20, 20).die();
    for (let step = 21; step <= 24; step += 1) comesFurther(rig, step, ['emergency']);
    expect(rig.state).toMatchObject({ kind: 'backing-off' });
    expect(rig.state.ledger.budget).toMatchObject({ crashSaves: 3, withoutProgress: 1, highestVerifiedStep: 24 });
  });

  test('two crashes from one checkpoint step back, twice, and the sixth attempt without progress is the last', () => {
    const rig = new Rig().train().steps(50).saved(3, 50).die();
    const stepBacks: (number | null)[] = [];
    let attempts = 0;
    let from = 3;
    while (rig.state.kind !== 'ended') {
      if (rig.state.kind === 'backing-off') rig.passDeadline();
      if (rig.state.kind !== 'preflight') throw new Error(rig.state.kind);
      const { stepBackFrom } = rig.state;
      stepBacks.push(stepBackFrom);
      if (stepBackFrom !== null) from -= 1;
      rig.happen({ type: 'checkpoint-chosen', sequence: from, steppedBack: stepBackFrom !== null, verified: null });
      rig.happen({ type: 'worker-connected', welcomed: false, phase: 'train', step: 1, lastSaved: null });
      attempts += 1;
      rig.die(null, 1);
    }
    expect(attempts).toBe(MAX_WITHOUT_PROGRESS);
    expect(stepBacks).toEqual([null, null, 3, null, 2, null]);
    expect(rig.state).toMatchObject({ outcome: 'gave-up' });
  });

  test('a mix of classes does not stretch the six attempts', () => {
    const rig = new Rig().train().steps(5);
    const ends: [NodeJS.Signals | null, number | null][] = [
      ['SIGKILL', null],
      [null, 75],
      ['SIGSEGV', null],
      [null, 1],
      [null, 75],
      ['SIGKILL', null],
    ];
    let ended = 0;
    for (const [signal, code] of ends) {
      rig.die(signal, code);
      ended += 1;
      if (rig.state.kind === 'ended') break;
      rig.train();
    }
    expect(ended).toBe(6);
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'gave-up' });
  });

  test('host-oom gets one retry without progress', () => {
    const rig = new Rig().train().steps(5).die('SIGKILL', null, 'oom-kill').train().die('SIGKILL', null, 'oom-kill');
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'gave-up' });
  });

  test('maxRestarts caps even a run that makes progress', () => {
    const rig = new Rig({ maxRestarts: 1 }).train().steps(5).saved(1, 5).die().train(1, 5).steps(9).saved(2, 9).die();
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'gave-up' });
  });

  test('an operator who starts a session that gave up gets a new budget', () => {
    const spent = { ...FRESH_BUDGET, withoutProgress: 6, stepsBack: 2, restarts: 9, highestVerifiedStep: 70 };
    expect(renewBudget(spent)).toEqual({ ...FRESH_BUDGET, highestVerifiedStep: 70 });
    expect(creditProgress(spent, 70, 'regular', 9)).toBe(spent);
    expect(creditProgress(spent, 71, 'regular', 9)).toMatchObject({
      withoutProgress: 0,
      highestVerifiedStep: 71,
      restarts: 9,
    });
  });

  test('what it launched again by itself is counted for the whole session, the first launch of an operator is not', () => {
    const relaunches = (rig: Rig): number | undefined => rig.state.ledger.budget.relaunches;
    const rig = new Rig();
    // Ended unseen while no supervisor lived: it is the operator who asks again.
    rig.happen({ type: 'no-orphan', unseenEnd: VANISHED }).train();
    expect(relaunches(rig)).toBe(0);
    rig.steps(5).saved(1, 5).die().train(1, 5);
    expect(relaunches(rig)).toBe(1);
    rig.die().train(1, 5).die();
    expect(rig.state.kind).toBe('backing-off');
    // Planned, and not yet done.
    expect(relaunches(rig)).toBe(2);
    rig.train(1, 5);
    expect(relaunches(rig)).toBe(3);
    expect(renewBudget(rig.state.ledger.budget).relaunches).toBe(3);
  });

  test('back-off: at once, then 5 s doubling to 300 s, +-20 %', () => {
    const plain = [1, 2, 3, 4, 9].map((n) => backoffMs(n, SETTINGS.backoff, 0.5));
    expect(plain).toEqual([0, 5_000, 10_000, 20_000, 300_000]);
    expect(backoffMs(2, SETTINGS.backoff, 0)).toBe(4_000);
    expect(backoffMs(2, SETTINGS.backoff, 0.999999)).toBeLessThanOrEqual(6_000);
  });

  test('power cuts are never counted', () => {
    const classification = { class: 'power-cut', reason: 'cut' } as const;
    // Nor by the cap on all restarts: a machine in a thunderstorm must not run out of them.
    const capped = { ...SETTINGS, maxRestarts: 0 };
    let budget = FRESH_BUDGET;
    for (let cut = 0; cut < 20; cut += 1) {
      const decision = decideRestart(
        budget,
        { classification, progress: 'none', resumedFrom: 1, adapts: false },
        capped,
        0.5,
      );
      expect(decision.kind).toBe('restart');
      budget = decision.budget;
    }
    expect(budget).toEqual(FRESH_BUDGET);
  });

  test('a divergence ends a run, but halves the rate of one that adapts: four times, whatever progress comes between', () => {
    const diverged = { class: 'diverged', reason: 'the loss became NaN at step 9' } as const;
    const attempt = { classification: diverged, progress: 'regular', resumedFrom: 1 } as const;
    expect(decideRestart(FRESH_BUDGET, { ...attempt, adapts: false }, SETTINGS, 0.5)).toMatchObject({
      kind: 'end',
      outcome: 'diverged',
    });
    let budget = FRESH_BUDGET;
    for (let time = 1; time <= MAX_DIVERGENCES; time += 1) {
      const decision = decideRestart(budget, { ...attempt, adapts: true }, SETTINGS, 0.5);
      expect(decision).toMatchObject({ kind: 'restart', reason: expect.stringContaining(`scaled by ${0.5 ** time}`) });
      budget = renewBudget(creditProgress(decision.budget, time * 100, 'regular', time));
      expect(learningRateScale(budget)).toBe(0.5 ** time);
    }
    expect(decideRestart(budget, { ...attempt, adapts: true }, SETTINGS, 0.5)).toMatchObject({
      kind: 'end',
      outcome: 'diverged',
    });
  });
});
