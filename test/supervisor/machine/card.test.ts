/** What the machine does for a card's sake. */
import { describe, expect, test } from 'vitest';
import {
  batchScale,
  COOLING_MS,
  MAX_WITHOUT_PROGRESS,
  renewBudget,
} from '../../../src/supervisor/machine/restart-policy.ts';
import { Rig } from './rig.ts';

const REASON = 'GPU 0 gets hotter although training stands still: 88 C > 85 C';

describe('a card that is too hot', () => {
  test('the worker saves and ends, and is launched again when the card is cool, uncounted', () => {
    const rig = new Rig().train().steps(50).saved(1, 40);
    rig.happen({ type: 'card-overheated', reason: REASON });
    expect(rig.state).toMatchObject({ kind: 'stopping', cause: 'heat', deadlineMs: 60_000 });
    expect(rig.effects).toContainEqual({ type: 'request-stop', request: 'heat-1', reason: REASON, graceMs: 60_000 });
    const { budget } = rig.saved(2, 50, 'heat-1', ['emergency']).state.ledger;
    rig.die(null, 75);
    expect(rig.state).toMatchObject({ kind: 'awaiting-card', need: 'cool' });
    expect(rig.effects).toContainEqual(
      expect.objectContaining({ classification: { class: 'overheated', reason: `stopped by us: ${REASON}` } }),
    );
    expect(rig.has('await-card')).toBe(true);
    expect(rig.state.ledger.budget).toEqual(budget);
    rig.wait(60_000).happen({ type: 'card-ready' });
    expect(rig.state.kind).toBe('preflight');
  });

  test('one that ends on nothing is ended in the usual stages', () => {
    const rig = new Rig().train().steps(5).happen({ type: 'card-overheated', reason: REASON });
    expect(rig.passDeadline().state).toMatchObject({ kind: 'stopping', stage: 'terminating', cause: 'heat' });
    expect(rig.passDeadline().state.kind).toBe('reaping');
  });

  test('a script without the SDK is ended too', () => {
    const rig = new Rig().happen({ type: 'no-orphan', unseenEnd: null });
    rig.happen({ type: 'checkpoint-chosen', sequence: null, steppedBack: false, verified: null });
    rig.happen({ type: 'card-overheated', reason: REASON });
    expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'terminating', cause: 'heat' });
  });

  test('a card that never gets cool, or tells nothing, is tried after half an hour', () => {
    const rig = new Rig().train().steps(5).happen({ type: 'card-overheated', reason: REASON }).die(null, 75);
    rig.wait(COOLING_MS - 1);
    expect(rig.state.kind).toBe('awaiting-card');
    rig.wait(1);
    expect(rig.state.kind).toBe('preflight');
  });

  test("the operator's stop meanwhile is the operator's", () => {
    const rig = new Rig().train().steps(5).happen({ type: 'card-overheated', reason: REASON });
    rig.happen({ type: 'stop-signal', signal: 'SIGINT' });
    expect(rig.state).toMatchObject({ kind: 'stopping', cause: 'operator' });
    rig.saved(1, 5, 'heat-1', ['emergency']).die(null, 75);
    expect(rig.state).toMatchObject({ kind: 'confirming', outcome: 'stopped-saved' });
    const waiting = new Rig().train().happen({ type: 'card-overheated', reason: REASON }).die(null, 75);
    expect(waiting.happen({ type: 'stop-signal', signal: 'SIGINT' }).state).toMatchObject({
      outcome: 'stopped-unsaved',
    });
  });
});

/** It dies of a full card. */
function runOut(rig: Rig): Rig {
  rig.happen({ type: 'worker-ended', end: { code: 1, signal: null, source: 'exit' } }).happen({ type: 'group-gone' });
  const evidence = { stderrTail: ['CUDA out of memory.'], oomRecord: null };
  return rig.happen({ type: 'evidence-gathered', evidence, random: 0.5 });
}

/** It dies, and its card with it. */
function lose(rig: Rig): Rig {
  rig.happen({ type: 'worker-ended', end: { code: null, signal: 'SIGABRT', source: 'exit' } });
  rig.happen({ type: 'group-gone' });
  const card = { loss: { words: 'GPU 0: it is lost', hint: 'Reboot.' }, xid: null };
  return rig.happen({ type: 'evidence-gathered', evidence: { stderrTail: [], oomRecord: null, card }, random: 0.5 });
}

function connect(rig: Rig, adaptsBatch: boolean): Rig {
  rig.happen({ type: 'checkpoint-chosen', sequence: null, steppedBack: false, verified: null });
  return rig.happen({
    type: 'worker-connected',
    welcomed: false,
    phase: 'load',
    step: 0,
    lastSaved: null,
    adaptsBatch,
  });
}

describe('a card whose memory is full', () => {
  test('a trainer that takes smaller batches has them halved, four times, and waits for the memory, a minute at most', () => {
    const rig = connect(new Rig().happen({ type: 'no-orphan', unseenEnd: null }), true);
    for (const scale of [0.5, 0.25, 0.125, 0.0625]) {
      runOut(rig);
      expect(rig.state).toMatchObject({ kind: 'awaiting-card', need: 'memory' });
      expect(batchScale(rig.state.ledger.budget)).toBe(scale);
      expect(rig.effects).toContainEqual(
        expect.objectContaining({
          type: 'await-card',
          reason: expect.stringContaining(`batches have ${scale} of their size`),
        }),
      );
      if (scale === 0.5) rig.wait(59_999);
      expect(rig.state.kind).toBe('awaiting-card');
      connect(rig.passDeadline(), true);
    }
    expect(runOut(rig).state).toMatchObject({
      kind: 'ended',
      outcome: 'gave-up',
      reason: 'out of GPU memory again, with batches of 0.0625 of their size',
    });
  });

  test('what was learned stays: after progress, after a giving-up, for the next supervisor', () => {
    const rig = runOut(connect(new Rig().happen({ type: 'no-orphan', unseenEnd: null }), true));
    connect(rig.happen({ type: 'card-ready' }), true)
      .steps(9)
      .saved(1, 9);
    expect(batchScale(rig.state.ledger.budget)).toBe(0.5);
    expect(batchScale(renewBudget(JSON.parse(JSON.stringify(rig.state.ledger.budget))))).toBe(0.5);
  });

  test('another one gets one retry without progress', () => {
    const rig = runOut(connect(new Rig().happen({ type: 'no-orphan', unseenEnd: null }), false));
    expect(rig.state).toMatchObject({ kind: 'awaiting-card', need: 'memory' });
    runOut(connect(rig.happen({ type: 'card-ready' }), false));
    expect(rig.state).toMatchObject({
      outcome: 'gave-up',
      reason: 'out of GPU memory again, without progress since the last time',
    });
    expect(batchScale(rig.state.ledger.budget)).toBe(1);
  });
});

describe('a card that is lost', () => {
  test('nothing is launched on it', () => {
    const rig = lose(new Rig().train().steps(5));
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'gpu-lost', reason: 'GPU 0: it is lost' });
    expect(rig.effects).toContainEqual(
      expect.objectContaining({ classification: { class: 'gpu-lost', reason: 'GPU 0: it is lost', hint: 'Reboot.' } }),
    );
  });

  test('--wait-for-gpu: until it is healthy, however long; six times without progress', () => {
    const rig = lose(new Rig({ waitForGpu: true }).train().steps(5));
    expect(rig.wait(1e9).state).toMatchObject({ kind: 'awaiting-card', need: 'healthy', untilMs: null });
    rig.happen({ type: 'card-ready' });
    let launches = 1;
    while (rig.state.kind === 'preflight' && launches < 20) {
      launches += 1;
      lose(rig.train()).happen({ type: 'card-ready' });
    }
    expect(rig.state).toMatchObject({ outcome: 'gave-up' });
    expect(launches).toBe(MAX_WITHOUT_PROGRESS);
  });

  test("the operator's stop ends the wait", () => {
    const rig = lose(new Rig({ waitForGpu: true }).train());
    rig.happen({ type: 'stop-signal', signal: 'SIGTERM' });
    expect(rig.state).toMatchObject({ kind: 'ended', reason: 'stopped on SIGTERM while waiting for the card' });
  });
});
