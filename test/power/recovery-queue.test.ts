import { expect, test } from 'vitest';
import {
  isPending,
  nextToStart,
  type QueuedSession,
  type RecoveryStage,
  START_LIMIT_MS,
  withStage,
} from '../../src/power/recovery-queue.ts';

function queueOf(...stages: RecoveryStage[]): QueuedSession[] {
  return stages.map((stage, at) => ({ session: `s${at}`, stage, startedMs: stage === 'starting' ? 0 : null }));
}

const ALL = { parallel: null };

test('in order, the next when the one before has come to train', () => {
  expect(nextToStart(queueOf('waiting', 'waiting'), ALL, 0)).toBe('s0');
  expect(nextToStart(queueOf('starting', 'waiting'), ALL, START_LIMIT_MS - 1)).toBeNull();
  expect(nextToStart(queueOf('training', 'waiting'), ALL, 0)).toBe('s1');
  expect(nextToStart(queueOf('over', 'waiting'), ALL, 0)).toBe('s1');
});

test('one that takes for ever to begin does not keep the others from coming back', () => {
  expect(nextToStart(queueOf('starting', 'waiting'), ALL, START_LIMIT_MS)).toBe('s1');
});

test('never more at once than are allowed, however long one takes', () => {
  const one = { parallel: 1 };
  expect(nextToStart(queueOf('training', 'waiting'), one, 0)).toBeNull();
  expect(nextToStart(queueOf('starting', 'waiting'), one, START_LIMIT_MS)).toBeNull();
  expect(nextToStart(queueOf('over', 'waiting'), one, 0)).toBe('s1');
  expect(nextToStart(queueOf('training', 'training', 'waiting'), { parallel: 3 }, 0)).toBe('s2');
});

test('what waits for its disk is passed over, and holds nobody up', () => {
  expect(nextToStart(queueOf('blocked', 'waiting'), ALL, 0)).toBe('s1');
  expect(nextToStart(queueOf('blocked'), ALL, 0)).toBeNull();
});

test('another recovery may begin when none is left to start', () => {
  for (const stage of ['waiting', 'blocked', 'starting'] as const)
    expect(isPending(queueOf('training', stage))).toBe(true);
  expect(isPending(queueOf('training', 'over'))).toBe(false);
});

test('what is over stays over', () => {
  const [ended] = withStage(queueOf('over'), 's0', 'waiting', 5);
  expect(ended?.stage).toBe('over');
  expect(withStage(queueOf('waiting'), 's0', 'starting', 5)[0]).toMatchObject({ stage: 'starting', startedMs: 5 });
});
