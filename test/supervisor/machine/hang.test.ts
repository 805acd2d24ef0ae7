import { describe, expect, test } from 'vitest';
import { Rig } from './rig.ts';

/** `count` steps of `stepMs`, each reported as it happens. */
function stepping(rig: Rig, count: number, stepMs: number, from = 0): Rig {
  for (let step = from + 1; step <= from + count; step += 1) {
    rig.nowMs += stepMs;
    rig.steps(step);
  }
  return rig;
}

describe('hang detection', () => {
  test('silence of 60 s in phase train is a hang: SIGTERM, SIGKILL, counted, launched again', () => {
    const rig = stepping(new Rig().train(), 20, 100).wait(59_999);
    expect(rig.state.kind).toBe('running');
    rig.wait(1);
    expect(rig.state).toMatchObject({ kind: 'stopping', cause: 'hang' });
    expect(rig.has('announce-hang')).toBe(true);
    // Woken, in case that it was merely stopped, and asked to save; then SIGTERM; then SIGKILL.
    expect(rig.state).toMatchObject({ stage: 'saving' });
    expect(rig.effects.slice(1)).toEqual([
      { type: 'signal-group', signal: 'SIGCONT' },
      { type: 'request-stop', request: 'hang-1', reason: 'hang', graceMs: 5_000 },
    ]);
    rig.wait(5_000);
    expect(rig.state).toMatchObject({ stage: 'terminating', cause: 'hang' });
    rig.wait(5_000);
    expect(rig.state.kind).toBe('reaping');
    rig.happen({ type: 'group-gone' });
    rig.happen({ type: 'evidence-gathered', evidence: { stderrTail: [], oomRecord: null }, random: 0.5 });
    expect(rig.state).toMatchObject({ kind: 'preflight', ledger: { budget: { withoutProgress: 1 } } });
  });

  test('slow steps get ten times their smoothed time', () => {
    const rig = stepping(new Rig().train(), 200, 20_000).wait(150_000);
    expect(rig.state.kind).toBe('running');
    rig.wait(60_000);
    expect(rig.state).toMatchObject({ kind: 'stopping', cause: 'hang' });
  });

  test('evaluation, the first step and compilation have a limit of their own', () => {
    const rig = stepping(new Rig().train(), 20, 100);
    rig.happen({ type: 'phase-changed', phase: 'eval' }).wait(599_000);
    expect(rig.state.kind).toBe('running');
    rig.wait(1_000);
    expect(rig.state.kind).toBe('stopping');
    expect(new Rig().train().wait(300_000).state.kind).toBe('running');
  });

  test('a card that rests although this training uses it: sooner; one that works: later', () => {
    const idle = stepping(new Rig().train(), 20, 100).happen({ type: 'card-load', load: 'idle' });
    expect(idle.wait(29_999).state.kind).toBe('running');
    expect(idle.wait(1).state).toMatchObject({ kind: 'stopping', cause: 'hang' });
    const slow = stepping(new Rig().train(), 20, 8_000).happen({ type: 'card-load', load: 'idle' });
    expect(slow.wait(79_000).state.kind).toBe('running');
    const busy = stepping(new Rig().train(), 20, 100).happen({ type: 'card-load', load: 'busy' });
    expect(busy.wait(179_999).state.kind).toBe('running');
    expect(busy.wait(1).state.kind).toBe('stopping');
    const again = stepping(new Rig().train(), 20, 100).happen({ type: 'card-load', load: 'idle' });
    again.happen({ type: 'card-load', load: 'unknown' });
    expect(again.wait(59_999).state.kind).toBe('running');
    expect(again.wait(1).state.kind).toBe('stopping');
  });

  test('a report that waited in the channel is not a fresh beat', () => {
    const rig = stepping(new Rig().train(), 20, 100);
    rig.nowMs += 59_000;
    rig.happen({ type: 'progressed', phase: 'train', step: 20, lastStepAgeMs: 59_000 }).wait(1_000);
    expect(rig.state).toMatchObject({ kind: 'stopping', cause: 'hang' });
  });

  test('our own sleep is not the worker silence', () => {
    const rig = stepping(new Rig().train(), 20, 100);
    rig.nowMs += 3_600_000;
    rig.happen({ type: 'woke-late', gapMs: 3_600_000 }).happen({ type: 'time-passed' });
    expect(rig.state.kind).toBe('running');
  });

  test('a beat that came in before we noticed our own sleep is not moved into the future', () => {
    const rig = stepping(new Rig().train(), 20, 100);
    rig.nowMs += 3_600_000;
    rig.happen({ type: 'progressed', phase: 'train', step: 21, lastStepAgeMs: 0 });
    rig.happen({ type: 'woke-late', gapMs: 3_600_000 }).wait(1_000_000);
    rig.wait(10 * 400_000);
    expect(rig.state).toMatchObject({ kind: 'stopping', cause: 'hang' });
  });

  test('a phase that is entered again and again is no silence', () => {
    const rig = stepping(new Rig().train(), 20, 100).happen({ type: 'phase-changed', phase: 'eval' });
    for (let minute = 0; minute < 60; minute += 1) {
      rig.wait(60_000).happen({ type: 'progressed', phase: 'eval', step: 20, lastStepAgeMs: 5_000 });
    }
    expect(rig.state.kind).toBe('running');
  });

  test('a save that a hung worker begins is waited for, once', () => {
    const rig = stepping(new Rig().train(), 20, 100).wait(60_000).wait(5_000);
    expect(rig.state).toMatchObject({ stage: 'terminating' });
    rig.happen({ type: 'save-started' }).wait(59_000);
    expect(rig.state.kind).toBe('stopping');
    rig.happen({ type: 'save-started' }).wait(1_000);
    expect(rig.state.kind).toBe('reaping');
  });

  test('a worker without a channel cannot be asked: SIGTERM at once', () => {
    const rig = stepping(new Rig().train(), 20, 100).happen({ type: 'channel-closed' }).wait(60_000);
    expect(rig.state).toMatchObject({ stage: 'terminating', cause: 'hang' });
  });

  test("Ctrl-C while a hung worker is ended makes the end the operator's: each further one goes a stage on", () => {
    const rig = stepping(new Rig().train(), 20, 100).wait(60_000).happen({ type: 'stop-signal', signal: 'SIGINT' });
    expect(rig.state).toMatchObject({ stage: 'saving', cause: 'operator', ledger: { stopSignal: 'SIGINT' } });
    expect(rig.effects).toMatchObject([{ type: 'announce-stop', stage: 'saving' }]);
    rig.happen({ type: 'stop-signal', signal: 'SIGINT' });
    expect(rig.state).toMatchObject({ stage: 'terminating' });
    rig.happen({ type: 'stop-signal', signal: 'SIGINT' });
    expect(rig.state.kind).toBe('reaping');
  });

  test('Ctrl-C while a hung worker is ended prevents the next launch', () => {
    const rig = stepping(new Rig().train(), 20, 100).wait(60_000).happen({ type: 'stop-signal', signal: 'SIGINT' });
    rig.die('SIGTERM');
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-unsaved' });
  });
});
