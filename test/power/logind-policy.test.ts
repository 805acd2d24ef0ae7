import { expect, test } from 'vitest';
import { AWAKE, type Going, judgeLogind, type LogindAction, type LogindEvent } from '../../src/power/logind-policy.ts';

function announced(going: Going, begins: boolean, nowMs = 0): LogindEvent {
  return { type: 'announced', going, begins, nowMs };
}

function actionsOf(...events: readonly LogindEvent[]): LogindAction[][] {
  let state = AWAKE;
  return events.map((event) => {
    const step = judgeLogind(state, event);
    state = step.state;
    return [...step.actions];
  });
}

const OVER: LogindEvent = { type: 'save-over' };

test('a sleep: saved, let go of when that is over, awake with new deadlines and a new lock', () => {
  expect(actionsOf(announced('sleep', true, 1_000), OVER, OVER, announced('sleep', false, 61_000))).toEqual([
    [
      { type: 'tell-going', going: 'sleep' },
      { type: 'save', going: 'sleep' },
    ],
    [{ type: 'let-go' }],
    [],
    [{ type: 'woke', forMs: 60_000 }, { type: 'hold' }],
  ]);
});

test('logind that would not wait: what is still held is let go of before it is held anew', () => {
  expect(actionsOf(announced('sleep', true), announced('sleep', false, 5)).at(-1)).toEqual([
    { type: 'let-go' },
    { type: 'woke', forMs: 5 },
    { type: 'hold' },
  ]);
});

test('a shutdown that is called off: held again, and no clock is moved', () => {
  expect(actionsOf(announced('shutdown', true), OVER, announced('shutdown', false)).at(-1)).toEqual([{ type: 'hold' }]);
});

test('said twice it is one save; a shutdown instead of the sleep is told', () => {
  expect(actionsOf(announced('sleep', true), announced('sleep', true), announced('shutdown', true), OVER)).toEqual([
    expect.arrayContaining([{ type: 'save', going: 'sleep' }]),
    [],
    [{ type: 'tell-going', going: 'shutdown' }],
    [{ type: 'let-go' }],
  ]);
});

test('the end of what never began is nothing, and a save that nobody waits for is none of ours', () => {
  expect(actionsOf(announced('sleep', false), announced('shutdown', false), OVER)).toEqual([[], [], []]);
});
