import { describe, expect, test } from 'vitest';
import type { UnseenEnd } from '../../../src/supervisor/machine/event.ts';
import { Rig } from './rig.ts';

const VANISHED: UnseenEnd = {
  end: { code: null, signal: null, source: 'vanished' },
  bootChanged: false,
  resumedFrom: 2,
  final: null,
  verifiedStep: -1,
  regularStep: -1,
  note: null,
};

describe('what an earlier supervisor left', () => {
  test('a live worker is adopted: no launch, a welcome that carries the new claim', () => {
    const rig = new Rig().happen({ type: 'orphan-found', attempt: 3, resumedFrom: 2, spoke: true });
    expect(rig.effects).toEqual([]);
    rig.happen({ type: 'worker-connected', welcomed: true, phase: 'train', step: 40, lastSaved: 5 });
    expect(rig.state).toMatchObject({ kind: 'running', ledger: { attempt: 3, lastStep: 40 } });
    expect(rig.effects).toEqual([{ type: 'welcome-worker' }]);
  });

  test('one that never spoke may have no SDK: it is watched for as long as it lives, not ended for its silence', () => {
    const rig = new Rig().happen({ type: 'orphan-found', attempt: 3, resumedFrom: null, spoke: false });
    rig.wait(30 * 86_400_000);
    expect(rig.state.kind).toBe('adopting');
    rig.happen({ type: 'worker-ended', end: { code: 0, signal: null, source: 'exit' } });
    expect(rig.state.kind).toBe('reaping');
  });

  test('one that spoke and does not connect again is ended', () => {
    const rig = new Rig().happen({ type: 'orphan-found', attempt: 3, resumedFrom: null, spoke: true }).passDeadline();
    expect(rig.state.kind).toBe('reaping');
  });

  test('a live worker that nobody has welcomed is told what to resume from, and never starts from zero unasked', () => {
    const connected = { type: 'worker-connected', welcomed: false, phase: 'load', step: 0, lastSaved: null } as const;
    const rig = new Rig().happen({ type: 'orphan-found', attempt: 3, resumedFrom: 2, spoke: true }).happen(connected);
    expect(rig.effects).toEqual([{ type: 'choose-checkpoint', stepBackFrom: null }]);
    rig.happen(connected);
    expect(rig.effects).toEqual([]);
    rig.wait(3_600_000);
    expect(rig.state.kind).toBe('adopting');
    rig.happen({ type: 'checkpoint-chosen', sequence: 5, steppedBack: false, verified: null });
    expect(rig.state).toMatchObject({ kind: 'running', launch: { attempt: 3, resumedFrom: 5, connected: true } });
    expect(rig.effects).toEqual([{ type: 'welcome-worker' }]);
  });

  test('a live worker that nobody has welcomed is ended when nothing verifies', () => {
    const rig = new Rig().happen({ type: 'orphan-found', attempt: 3, resumedFrom: 2, spoke: true });
    rig.happen({ type: 'worker-connected', welcomed: false, phase: 'load', step: 0, lastSaved: null });
    rig.happen({ type: 'no-checkpoint', reason: 'all 3 are damaged', missing: false });
    expect(rig.effects).toEqual([{ type: 'reap-group' }]);
  });

  test('one that does not connect in time is killed before another is launched', () => {
    const rig = new Rig().happen({ type: 'orphan-found', attempt: 3, resumedFrom: 2, spoke: true }).passDeadline();
    expect(rig.state.kind).toBe('reaping');
    expect(rig.effects).toEqual([{ type: 'reap-group' }]);
  });

  test('an attempt that nobody saw the end of is recorded and counted', () => {
    const rig = new Rig().happen({ type: 'no-orphan', unseenEnd: VANISHED });
    expect(rig.effects[0]).toMatchObject({ type: 'record-attempt-end', classification: { class: 'vanished' } });
    expect(rig.state).toMatchObject({ kind: 'preflight', ledger: { budget: { withoutProgress: 1 } } });
  });

  test('progress that a supervisor saw before it died is to the credit of the attempt that outlived it', () => {
    const first = new Rig().train().steps(70).saved(1, 70);
    const { ledger } = first.state;
    const next = (): Rig => {
      const rig = new Rig();
      rig.state = { kind: 'opening', ledger };
      return rig;
    };
    const unseen = { ...VANISHED, verifiedStep: 70, regularStep: 70 };
    const over = next().happen({ type: 'no-orphan', unseenEnd: unseen });
    const connected = { type: 'worker-connected', welcomed: true, phase: 'train', step: 70, lastSaved: 1 } as const;
    const adopted = next().happen({ type: 'orphan-found', attempt: 1, resumedFrom: null, spoke: true });
    adopted.happen(connected).die();
    for (const rig of [over, adopted]) {
      expect(rig.state.ledger.budget).toMatchObject({ withoutProgress: 0, fromSameCheckpoint: 0, restarts: 1 });
    }
    // The attempt after it has none of its own.
    adopted.train(1, 70).die();
    expect(adopted.state.ledger.budget).toMatchObject({ withoutProgress: 1, restarts: 2 });
  });

  test('what it verified before its supervisor had heard of it, or while there was none, is progress of the one that is adopted', () => {
    const verified = { verifiedStep: 75, regularStep: 70 };
    const rig = new Rig().happen({ type: 'orphan-found', attempt: 1, resumedFrom: null, spoke: true, verified });
    expect(rig.state.ledger.budget).toMatchObject({
      highestVerifiedStep: 75,
      progressedBy: { attempt: 1, regular: true },
    });
    rig.happen({ type: 'worker-connected', welcomed: true, phase: 'train', step: 75, lastSaved: 1 }).die();
    expect(rig.state.ledger.budget).toMatchObject({ withoutProgress: 0, restarts: 1 });
  });

  test('one that was counted already is recorded and not counted again; its step back is made up for', () => {
    const rig = new Rig().happen({ type: 'no-orphan', unseenEnd: { ...VANISHED, resumedFrom: 7 } });
    const { budget } = rig.state.ledger;
    for (const fromSameCheckpoint of [1, 2]) {
      const again = new Rig();
      const ledger = { ...again.state.ledger, budget: { ...budget, fromSameCheckpoint } };
      again.state = { kind: 'opening', ledger };
      again.happen({ type: 'no-orphan', unseenEnd: { ...VANISHED, resumedFrom: 7, counted: true } });
      expect(again.effects[0]).toMatchObject({ type: 'record-attempt-end', classification: { class: 'vanished' } });
      expect(again.state).toMatchObject({ kind: 'preflight', ledger: { budget: ledger.budget } });
      expect(again.effects).toContainEqual({
        type: 'choose-checkpoint',
        stepBackFrom: fromSameCheckpoint === 2 ? 7 : null,
      });
    }
  });

  test('what it verified alone is progress', () => {
    const rig = new Rig().happen({ type: 'no-orphan', unseenEnd: { ...VANISHED, verifiedStep: 70, regularStep: 70 } });
    expect(rig.state).toMatchObject({ ledger: { budget: { withoutProgress: 0, highestVerifiedStep: 70 } } });
  });

  test('a cut is no crash', () => {
    const rig = new Rig().happen({ type: 'no-orphan', unseenEnd: { ...VANISHED, bootChanged: true } });
    expect(rig.effects[0]).toMatchObject({ classification: { class: 'power-cut' } });
    expect(rig.state).toMatchObject({ ledger: { budget: { withoutProgress: 0 } } });
  });

  test('power that was cut again settles first, with or without an attempt that it ended; a stop does not wait', () => {
    const settle = { waitMs: 60_000, reason: 'it may not hold yet' };
    for (const unseenEnd of [null, { ...VANISHED, bootChanged: true, lastSeenAt: '2026-11-23T12:00:00.000Z' }]) {
      const rig = new Rig().happen({ type: 'no-orphan', unseenEnd, settle });
      expect(rig.state).toMatchObject({ kind: 'backing-off', untilMs: 60_000 });
      expect(rig.effects.at(-1)).toMatchObject({ type: 'announce-restart', delayMs: 60_000, reason: settle.reason });
      if (unseenEnd !== null) expect(rig.effects[0]).toMatchObject({ endedAt: unseenEnd.lastSeenAt });
      rig.wait(59_999);
      expect(rig.state.kind).toBe('backing-off');
      rig.wait(1);
      expect(rig.state.kind).toBe('preflight');
    }
    const stopped = new Rig().happen({ type: 'no-orphan', unseenEnd: null, settle });
    stopped.happen({ type: 'stop-signal', signal: 'SIGINT' });
    expect(stopped.state).toMatchObject({ kind: 'ended', outcome: 'stopped-unsaved' });
  });

  test('the operator gets a launch even when the unseen end was the sixth', () => {
    const rig = new Rig();
    for (let round = 0; round < 8; round += 1) {
      rig.state = { kind: 'opening', ledger: rig.state.ledger };
      rig.happen({ type: 'no-orphan', unseenEnd: VANISHED });
      expect(rig.state.kind).toBe('preflight');
    }
  });

  test('an orphan that had finished is confirmed, not launched again', () => {
    const end = { code: 0, signal: null, source: 'record' } as const;
    const rig = new Rig().happen({ type: 'no-orphan', unseenEnd: { ...VANISHED, end, final: 9 } });
    expect(rig.effects).toContainEqual({ type: 'confirm-checkpoint', sequence: 9 });
    rig.happen({ type: 'confirmation', verified: true, reason: '' });
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'completed' });
  });

  test('nothing verifies: no launch', () => {
    const rig = new Rig().happen({ type: 'no-orphan', unseenEnd: null });
    rig.happen({ type: 'no-checkpoint', reason: 'all 3 are damaged', missing: false });
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'no-checkpoint' });
    const gone = new Rig().happen({ type: 'no-orphan', unseenEnd: null });
    gone.happen({ type: 'no-checkpoint', reason: 'not mounted', missing: true });
    expect(gone.state).toMatchObject({ outcome: 'store-missing' });
  });
});
