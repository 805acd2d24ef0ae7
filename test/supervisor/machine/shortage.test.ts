import { expect, test } from 'vitest';
import { LAUNCH_RETRY_MS, tellsOfFullDisk } from '../../../src/supervisor/machine/shortage.ts';
import { Rig } from './rig.ts';

function launching(): Rig {
  return new Rig()
    .happen({ type: 'no-orphan', unseenEnd: null })
    .happen({ type: 'checkpoint-chosen', sequence: null, steppedBack: false, verified: null });
}

test.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EAGAIN', 'ENOMEM'])(
  'a launch that meets %s is tried again, uncounted',
  (errno) => {
    const rig = launching();
    for (let tries = 0; tries < 1_000; tries++) {
      rig.happen({ type: 'spawn-failed', errno, reason: 'no room' });
      expect(rig.state.kind).toBe('backing-off');
      expect(rig.has('announce-launch-wait')).toBe(true);
      const before = rig.nowMs;
      rig.passDeadline();
      expect(rig.nowMs - before).toBe(LAUNCH_RETRY_MS);
      expect(rig.state.kind).toBe('preflight');
      rig.happen({ type: 'checkpoint-chosen', sequence: null, steppedBack: false, verified: null });
      expect(rig.state).toMatchObject({ kind: 'starting', launch: { attempt: 1 } });
    }
    expect(rig.state.ledger.budget.withoutProgress).toBe(0);
  },
);

test('a stop ends the waiting for a launch', () => {
  const rig = launching().happen({ type: 'spawn-failed', errno: 'ENOSPC', reason: 'no room' });
  rig.happen({ type: 'stop-signal', signal: 'SIGINT' });
  expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-unsaved' });
});

test('a launch that cannot work is not tried again', () => {
  const rig = launching().happen({ type: 'spawn-failed', errno: 'ENOENT', reason: 'no such trainer' });
  expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'config-error' });
});

test('a save that finds no room neither ends nor blames the attempt', () => {
  const rig = new Rig().train().steps(5);
  rig.happen({ type: 'save-failed', request: null, code: 'no-space', message: 'full' });
  expect(rig.state.kind).toBe('running');
  rig.die('SIGSEGV');
  expect(rig.effects).toContainEqual(
    expect.objectContaining({ classification: expect.objectContaining({ class: 'native-crash' }) }),
  );
});

test('why the emergency save failed is part of how it ended', () => {
  const rig = new Rig().train().steps(5).happen({ type: 'stop-signal', signal: 'SIGINT' });
  rig.happen({ type: 'save-failed', request: 'stop-1', code: 'no-space', message: 'full' });
  rig.die(null, 75);
  expect(rig.state).toMatchObject({ kind: 'ended', outcome: 'stopped-unsaved' });
  expect(rig.state.kind === 'ended' && rig.state.reason).toContain('no-space: full');
});

test('waiting for space is no hang, however long; a loop that then stops waiting and hangs is one', () => {
  const rig = new Rig().train().steps(1).steps(2);
  for (let second = 0; second < 10_000; second++) {
    rig.nowMs += 1_000;
    rig.happen({ type: 'progressed', phase: 'train', step: 2, lastStepAgeMs: 900, waiting: true });
    rig.happen({ type: 'time-passed' });
  }
  expect(rig.state.kind).toBe('running');
  rig.passDeadline();
  expect(rig.state.kind).toBe('stopping');
});

test('words for a full disk in several languages', () => {
  expect(tellsOfFullDisk(['Error: ENOSPC: no space left on device, write'])).toBe(true);
  expect(tellsOfFullDisk(['OSError: [Errno 28] No space left on device'])).toBe(true);
  expect(tellsOfFullDisk(['cp: error writing: Disk quota exceeded'])).toBe(true);
  expect(tellsOfFullDisk(['there is space left'])).toBe(false);
});
