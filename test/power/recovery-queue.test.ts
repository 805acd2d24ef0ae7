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
  return stages.map((stage, at) => ({
    session: `s${at}`,
    stage,
    startedMs: stage === 'starting' ? 0 : null,
    trains: false,
  }));
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

test('a worker that trains on alone gets its supervisor first, and counts as one that trains', () => {
  const [resumed, adopted] = queueOf('waiting', 'waiting');
  if (resumed === undefined || adopted === undefined) throw new Error('two are queued');
  const queue = [resumed, { ...adopted, trains: true }];
  expect(nextToStart(queue, { parallel: 1 }, 0)).toBe('s1');
  expect(nextToStart([{ ...resumed, stage: 'starting', startedMs: 0 }, ...queue.slice(1)], { parallel: 1 }, 0)).toBe(
    's1',
  );
  const begun = withStage(queue, 's1', 'training', 0);
  expect(nextToStart(begun, { parallel: 1 }, 0)).toBeNull();
  // Stopped for the UPS, it comes back like any other.
  const again = withStage(withStage(queue, 's1', 'starting', 0), 's1', 'waiting', 0);
  expect(nextToStart(again, ALL, 0)).toBe('s0');
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
