import { describe, expect, test } from 'vitest';
import { Rig } from './rig.ts';

describe('stop protocol', () => {
  test('first signal asks for an emergency save; a verified save and exit 75 end as stopped-saved', () => {
    const rig = new Rig().train().steps(10).happen({ type: 'stop-signal', signal: 'SIGINT' });
    expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'saving', deadlineMs: 60_000 });
    expect(rig.effects).toContainEqual({ type: 'request-stop', request: 'stop-1', reason: 'SIGINT', graceMs: 60_000 });
    rig.saved(4, 10, 'stop-1').die(null, 75);
    expect(rig.effects).toContainEqual({ type: 'confirm-checkpoint', sequence: 4 });
    rig.happen({ type: 'confirmation', verified: true, reason: '' });
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-saved', ledger: { stopSignal: 'SIGINT' } });
  });

  test('where the system ends us soon the save gets only that long; then the worker is ended', () => {
    const rig = new Rig().train().steps(10).happen({ type: 'stop-signal', signal: 'SIGHUP', withinMs: 8_000 });
    expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'saving', deadlineMs: 8_000 });
    expect(rig.effects).toContainEqual({ type: 'request-stop', request: 'stop-1', reason: 'SIGHUP', graceMs: 8_000 });
    expect(rig.passDeadline().state).toMatchObject({ kind: 'stopping', stage: 'terminating' });
    // A shorter grace that was set stays.
    const short = new Rig({ stop: { graceMs: 3_000, terminateMs: 1_000 } }).train();
    short.happen({ type: 'stop-signal', signal: 'SIGHUP', withinMs: 8_000 });
    expect(short.state).toMatchObject({ deadlineMs: 3_000 });
  });

  test('a console that is closed while a stop saves takes time from it and nothing else: no second Ctrl-C', () => {
    const rig = new Rig().train().steps(10).happen({ type: 'stop-signal', signal: 'SIGINT' });
    rig.wait(2_000).happen({ type: 'stop-signal', signal: 'SIGHUP', withinMs: 8_000 });
    expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'saving', deadlineMs: 10_000 });
    expect(rig.effects.map(({ type }) => type)).toEqual(['announce-stop']);
    rig.saved(4, 10, 'stop-1').die(null, 75).happen({ type: 'confirmation', verified: true, reason: '' });
    expect(rig.state).toMatchObject({ outcome: 'stopped-saved', ledger: { stopSignal: 'SIGINT' } });
  });

  test('a terminal that is lost after Ctrl-C is no second Ctrl-C: the save has all its time', () => {
    const rig = new Rig().train().steps(10).happen({ type: 'stop-signal', signal: 'SIGINT' });
    rig.wait(2_000).happen({ type: 'stop-signal', signal: 'SIGHUP' });
    expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'saving', deadlineMs: 60_000 });
    rig.saved(4, 10, 'stop-1').die(null, 75).happen({ type: 'stop-signal', signal: 'SIGHUP' });
    expect(rig.state.kind).toBe('confirming');
    rig.happen({ type: 'confirmation', verified: true, reason: '' });
    expect(rig.state).toMatchObject({ outcome: 'stopped-saved', ledger: { stopSignal: 'SIGINT' } });
    const alone = new Rig().train().steps(10).happen({ type: 'stop-signal', signal: 'SIGHUP' });
    expect(alone.state).toMatchObject({ kind: 'stopping', stage: 'saving' });
  });

  test('a save that was not asked for does not confirm a stop', () => {
    const rig = new Rig().train().steps(10).happen({ type: 'stop-signal', signal: 'SIGTERM' });
    rig.saved(4, 10, null).die(null, 75);
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-unsaved' });
  });

  test('what diverges while it is being stopped is not launched again, though its trainer adapts', () => {
    const diverged = { type: 'diverged', step: 11, loss: 'NaN', adapts: true } as const;
    const stop = { type: 'stop-signal', signal: 'SIGINT' } as const;
    const rig = new Rig().train().steps(10).happen(stop).happen(diverged).die(null, 1);
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-unsaved' });
    // The next run starts with the scaled rate; this restart was not made.
    expect(rig.state.ledger.budget).toMatchObject({ divergences: 1, restarts: 0 });
    const saved = new Rig().train().steps(10).happen(stop).saved(4, 10, 'stop-1').happen(diverged).die(null, 1);
    expect(saved.effects).toContainEqual({ type: 'confirm-checkpoint', sequence: 4 });
  });

  test('a confirmed save that does not verify is not called saved', () => {
    const rig = new Rig().train().steps(10).happen({ type: 'stop-signal', signal: 'SIGINT' });
    rig.saved(4, 10, 'stop-1').die(null, 75).happen({ type: 'confirmation', verified: false, reason: 'chunk 0' });
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-unsaved' });
  });

  test('a further signal cuts the last verification short, and the save is not called confirmed', () => {
    const rig = new Rig().train().steps(10).happen({ type: 'stop-signal', signal: 'SIGINT' });
    rig.saved(4, 10, 'stop-1').die(null, 75).happen({ type: 'stop-signal', signal: 'SIGINT' });
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-unsaved' });
  });

  test('second signal: SIGTERM and SIGCONT; third: the group is killed', () => {
    const rig = new Rig().train().happen({ type: 'stop-signal', signal: 'SIGINT' });
    rig.happen({ type: 'stop-signal', signal: 'SIGINT' });
    expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'terminating' });
    expect(rig.effects.filter((effect) => effect.type === 'signal-group')).toEqual([
      { type: 'signal-group', signal: 'SIGTERM' },
      { type: 'signal-group', signal: 'SIGCONT' },
    ]);
    rig.happen({ type: 'stop-signal', signal: 'SIGINT' });
    expect(rig.state.kind).toBe('reaping');
    expect(rig.has('reap-group')).toBe(true);
    rig.happen({ type: 'group-gone' });
    rig.happen({ type: 'evidence-gathered', evidence: { stderrTail: [], oomRecord: null }, random: 0 });
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-unsaved' });
  });

  test('a worker that was never welcomed is not welcomed while it is stopped: it would train from zero', () => {
    const rig = new Rig().train().happen({ type: 'stop-signal', signal: 'SIGINT' });
    const welcomes = (): number => rig.effects.filter(({ type }) => type === 'welcome-worker').length;
    const before = welcomes();
    const hello = { type: 'worker-connected', welcomed: false, phase: 'load', step: 0, lastSaved: null } as const;
    rig.happen(hello);
    expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'terminating' });
    rig.happen(hello);
    expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'terminating' });
    expect(welcomes()).toBe(before);
  });

  test('the grace, then 5 s, pass by themselves', () => {
    const rig = new Rig().train().happen({ type: 'stop-signal', signal: 'SIGTERM' }).wait(59_999);
    expect(rig.state).toMatchObject({ stage: 'saving' });
    rig.wait(1);
    expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'terminating' });
    rig.wait(5_000);
    expect(rig.state.kind).toBe('reaping');
  });

  test('grace grows to three times the longest save and ends at 15 minutes', () => {
    const graceAfter = (tookMs: number): number => {
      const rig = new Rig().train();
      rig.happen({ type: 'save-durable', request: null, sequence: 1, step: 1, tookMs });
      rig.happen({ type: 'stop-signal', signal: 'SIGINT' });
      return rig.state.kind === 'stopping' ? rig.state.deadlineMs : -1;
    };
    expect([graceAfter(1_000), graceAfter(30_000), graceAfter(3_600_000)]).toEqual([60_000, 90_000, 900_000]);
  });

  test('without a connected SDK the first signal is SIGTERM', () => {
    const rig = new Rig().happen({ type: 'no-orphan', unseenEnd: null });
    rig.happen({ type: 'checkpoint-chosen', sequence: null, steppedBack: false, verified: null });
    rig.happen({ type: 'stop-signal', signal: 'SIGINT' });
    expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'terminating' });
  });

  test('an emergency save that fails ends the waiting', () => {
    const rig = new Rig().train().happen({ type: 'stop-signal', signal: 'SIGINT' });
    rig.happen({ type: 'save-failed', request: 'stop-1', code: 'no-space', message: '' });
    expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'terminating' });
  });

  test('a worker that completes after the signal completed', () => {
    const rig = new Rig().train().steps(3).happen({ type: 'stop-signal', signal: 'SIGINT' });
    rig
      .saved(1, 3)
      .happen({ type: 'worker-done' })
      .die(null, 0)
      .happen({ type: 'confirmation', verified: true, reason: '' });
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'completed' });
  });

  test('a signal while the dead worker is examined prevents the next launch', () => {
    const rig = new Rig().train().steps(3);
    rig.happen({ type: 'worker-ended', end: { code: null, signal: 'SIGKILL', source: 'exit' } });
    rig.happen({ type: 'stop-signal', signal: 'SIGINT' }).happen({ type: 'group-gone' });
    rig.happen({ type: 'evidence-gathered', evidence: { stderrTail: [], oomRecord: null }, random: 0 });
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-unsaved' });
  });

  test('a worker that reconnects in mid-stop is asked again', () => {
    const rig = new Rig().train().happen({ type: 'stop-signal', signal: 'SIGINT' });
    rig.happen({ type: 'worker-connected', welcomed: true, phase: 'train', step: 5, lastSaved: null });
    expect(rig.has('request-stop')).toBe(true);
  });

  test('an unkillable worker is reported, not waited for', () => {
    const rig = new Rig().train();
    rig.happen({ type: 'worker-ended', end: { code: null, signal: 'SIGKILL', source: 'exit' } });
    rig.happen({ type: 'group-unkillable', survivors: ['pid 7 (node) is in uninterruptible sleep'] });
    expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'unkillable' });
  });
});
