/** What the machine does for a card's sake. */
import { describe, expect, test } from 'vitest';
import { COOLING_MS } from '../../../src/supervisor/machine/restart-policy.ts';
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
    rig.happen({ type: 'checkpoint-chosen', sequence: null, steppedBack: false });
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
