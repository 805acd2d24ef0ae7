import { expect, test } from 'vitest';
import type { WorkerMessage } from '../../src/protocol/messages.ts';
import { AloneWords } from '../../src/worker/thread/alone-words.ts';

const failed = (kinds: string[], code: string, step: number): WorkerMessage => ({
  v: 1,
  type: 'save-failed',
  request: null,
  step,
  kinds,
  code,
  message: 'gone',
  hint: 'Mount it',
});

const durable = (step: number): WorkerMessage => ({
  v: 1,
  type: 'saved',
  state: 'durable',
  request: null,
  sequence: step,
  step,
  epoch: 0,
  kinds: ['auto'],
  reason: null,
  path: '/x',
  bytes: 1,
  digest: 'd',
  metrics: {},
  parent: null,
  createdAt: '2026-11-23T00:00:00.000Z',
  stallMs: 0,
  writeMs: 0,
});

test('saves that fail by themselves are told when they begin to and when they work again; asked ones each time', () => {
  const lines: string[] = [];
  const words = new AloneWords((line) => lines.push(line));
  words.take(durable(1));
  words.take(failed(['auto'], 'no-space', 2));
  words.take(failed(['auto'], 'superseded', 3));
  for (const step of [4, 5, 6]) words.take(failed(['auto', 'best'], 'io', step));
  words.take(failed(['manual'], 'io', 7));
  words.take(durable(8));
  words.take(durable(9));
  words.take(failed(['auto'], 'io', 10));
  expect(lines).toEqual([
    'the save at step 3 failed (superseded): gone. Mount it',
    'the save at step 4 failed (io): gone. Mount it',
    'the save at step 7 failed (io): gone. Mount it',
    'saves work again: checkpoint 8 of step 8 is durable',
    'the save at step 10 failed (io): gone. Mount it',
  ]);
});
