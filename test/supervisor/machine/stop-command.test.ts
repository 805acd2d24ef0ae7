/** `nkat-recover stop`: ends the run as a signal does, but asked for twice it is one stop. */
import { expect, test } from 'vitest';
import type { Happening } from '../../../src/supervisor/machine/event.ts';
import { Rig } from './rig.ts';

const stop = (reason: string | null = null): Happening => ({
  type: 'stop-signal',
  signal: 'SIGTERM',
  command: { reason },
});
const launches = (rig: Rig): boolean => rig.has('launch-worker') || rig.has('choose-checkpoint');
const orphan: Happening = { type: 'orphan-found', attempt: 1, resumedFrom: null, spoke: true };

test('it asks for a save under its own words, and is the operator’s stop: the worker is not launched again', () => {
  const rig = new Rig().train().steps(10).happen(stop('warm room'));
  expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'saving', cause: 'operator' });
  const request = { type: 'request-stop', request: 'stop-1', graceMs: 60_000 };
  expect(rig.effects).toContainEqual({ ...request, reason: 'nkat-recover stop: warm room' });
  rig.saved(4, 10, 'stop-1').die(null, 75);
  expect(launches(rig)).toBe(false);
  rig.happen({ type: 'confirmation', verified: true, reason: '' });
  expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-saved', reason: expect.stringContaining('warm') });
});

test.each([
  ['killed', 'SIGKILL', null],
  ['crashed', null, 1],
] as const)('a worker that is %s on the way to its save is not launched again either', (_, signal, code) => {
  const rig = new Rig().train().steps(10).happen(stop()).die(signal, code);
  expect(launches(rig)).toBe(false);
  expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-unsaved', ledger: { stopSignal: 'SIGTERM' } });
});

test('a second one joins the first in every stage: nothing is pressed harder, and the first one’s words stay', () => {
  const rig = new Rig().train().steps(10).happen(stop('first'));
  const saving = rig.state;
  rig.happen(stop('second'));
  expect(rig.state).toEqual(saving);
  expect(rig.effects).toEqual([]);
  rig.happen({ type: 'stop-signal', signal: 'SIGINT' });
  expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'terminating' });
  const terminating = rig.state;
  rig.happen(stop());
  expect(rig.state).toEqual(terminating);
});

test('while the outcome is confirmed it waits for that; a signal does not', () => {
  const confirming = (): Rig => new Rig().train().steps(10).happen(stop()).saved(4, 10, 'stop-1').die(null, 75);
  const joined = confirming().happen(stop());
  expect(joined.state.kind).toBe('confirming');
  joined.happen({ type: 'confirmation', verified: true, reason: '' });
  expect(joined.state).toMatchObject({ outcome: 'stopped-saved' });
  expect(confirming().happen({ type: 'stop-signal', signal: 'SIGINT' }).state).toMatchObject({
    kind: 'ended',
    outcome: 'stopped-unsaved',
  });
});

test('before anything is known of an earlier worker, and while it is adopted: twice is once, and it saves', () => {
  const rig = new Rig().happen(stop('first')).happen(stop('second'));
  expect(rig.state.kind).toBe('opening');
  rig.happen(orphan).happen(stop());
  expect(rig.state.kind).toBe('adopting');
  rig.happen({ type: 'worker-connected', welcomed: true, phase: 'train', step: 5, lastSaved: null });
  expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'saving', ledger: { stopReason: expect.any(String) } });
  expect(rig.effects).toContainEqual(
    expect.objectContaining({ type: 'request-stop', reason: expect.stringContaining('first') }),
  );

  const late = new Rig().happen(orphan).happen(stop());
  expect(late.effects).toContainEqual(expect.objectContaining({ type: 'announce-stop', stage: 'reaching' }));
  expect(late.happen(stop()).state.kind).toBe('adopting');
});

test.each([['an orphan that never spoke is ended by SIGTERM', { ...orphan, spoke: false }]] as const)(
  '%s, after a stop and before one',
  (_, found) => {
    for (const rig of [new Rig().happen(stop()).happen(found), new Rig().happen(found).happen(stop())]) {
      expect(rig.state).toMatchObject({ kind: 'stopping', stage: 'terminating' });
      expect(rig.effects).toContainEqual({ type: 'signal-group', signal: 'SIGTERM' });
    }
  },
);

test('where nothing runs it ends the session at once: no launch, in the pause before a restart and before the first', () => {
  const waiting = new Rig().train().steps(1).die('SIGSEGV').train().die('SIGSEGV');
  expect(waiting.state.kind).toBe('backing-off');
  const before = new Rig().happen(stop()).happen({ type: 'no-orphan', unseenEnd: null });
  for (const rig of [waiting.happen(stop('enough')), before]) {
    expect(rig.state).toMatchObject({
      kind: 'ended',
      outcome: 'stopped-unsaved',
      reason: expect.stringContaining('nkat-recover stop'),
    });
    expect(launches(rig)).toBe(false);
  }
});

test('while a hung worker is ended it becomes the operator’s: what is under way goes on, and no launch follows', () => {
  const rig = new Rig().train().steps(10).steps(11).wait(60_001);
  expect(rig.state).toMatchObject({ kind: 'stopping', cause: 'hang' });
  rig.happen(stop());
  expect(rig.state).toMatchObject({ kind: 'stopping', cause: 'operator', ledger: { stopSignal: 'SIGTERM' } });
  rig.die();
  expect(launches(rig)).toBe(false);
  expect(rig.state.kind).toBe('ended');
});

test('who sent a signal may be found out while it stops; a command has said it, and without a stop it means nothing', () => {
  const by: Happening = { type: 'stopped-by', by: 'shutdown' };
  const signalled = new Rig().train().steps(10).happen({ type: 'stop-signal', signal: 'SIGTERM' });
  const stopping = signalled.state;
  expect(signalled.happen(by).state).toEqual({ ...stopping, ledger: { ...stopping.ledger, stoppedBy: 'shutdown' } });
  expect(signalled.effects).toEqual([]);
  const asked = new Rig().train().steps(10).happen(stop('warm room'));
  expect(asked.happen(by).state.ledger.stoppedBy).toBe('operator');
  const training = new Rig().train().steps(10);
  const before = training.state;
  expect(training.happen(by).state).toBe(before);
});
