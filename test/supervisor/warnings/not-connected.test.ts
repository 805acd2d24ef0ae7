import { expect, test } from 'vitest';
import type { SupervisorEvent } from '../../../src/supervisor/events.ts';
import { judgeNotConnected } from '../../../src/supervisor/warnings/not-connected.ts';
import { afterEvent, NO_FACTS } from '../../../src/supervisor/warnings/save-facts.ts';
import { ENDED } from './worker-ended.ts';

const started: SupervisorEvent = { name: 'attempt-started', attempt: 1, pid: 7 };
const connected: SupervisorEvent = { name: 'worker-connected', attempt: 1, pid: 8, adopted: false };
const script = { phaseLimitMs: 600_000, isCommand: false };
const after = (...events: SupervisorEvent[]) =>
  events.reduce((facts, event) => afterEvent(facts, event, 1_000), NO_FACTS);

test('told after a minute without a word, and over with the connection', () => {
  const awaited = after(started);
  expect(judgeNotConnected(NO_FACTS, script, 1e9).kind).toBe('keep');
  expect(judgeNotConnected(awaited, script, 60_999).kind).toBe('keep');
  expect(judgeNotConnected(awaited, script, 61_000)).toMatchObject({
    kind: 'raise',
    message: expect.stringMatching(/not called connect\(\) for 1 min.*loading/),
    hint: expect.stringContaining('run.phase("load")'),
  });
  expect(judgeNotConnected(after(started, connected), script, 1e9).kind).toBe('clear');
});

test('a trainer that ended is awaited no more; its successor is, from its own launch on', () => {
  expect(judgeNotConnected(after(started, ENDED), script, 1e9).kind).toBe('keep');
  const again = afterEvent(after(started, ENDED), started, 500_000);
  expect(judgeNotConnected(again, script, 559_999).kind).toBe('keep');
  expect(judgeNotConnected(again, script, 560_000).kind).toBe('raise');
});

test('who sets a shorter limit for phases is as impatient here', () => {
  const impatient = { phaseLimitMs: 2_000, isCommand: false };
  expect(judgeNotConnected(after(started), impatient, 2_999).kind).toBe('keep');
  expect(judgeNotConnected(after(started), impatient, 3_000).kind).toBe('raise');
});

test('a command may never connect, which is told as what it means', () => {
  const verdict = judgeNotConnected(after(started), { ...script, isCommand: true }, 61_000);
  expect(verdict).toMatchObject({ kind: 'raise', message: expect.stringContaining('SDK') });
});
