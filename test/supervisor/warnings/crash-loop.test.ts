import { expect, test } from 'vitest';
import type { SupervisorEvent } from '../../../src/supervisor/events.ts';
import { CRASH_LOOP } from '../../../src/supervisor/machine/restart-policy.ts';
import { judgeCrashLoop } from '../../../src/supervisor/warnings/crash-loop.ts';
import { afterEvent, NO_FACTS } from '../../../src/supervisor/warnings/save-facts.ts';
import { ENDED } from './worker-ended.ts';

const planned = (crashSaves: number): SupervisorEvent => ({
  name: 'restart-planned',
  delayMs: 0,
  reason: 'x',
  withoutProgress: 0,
  crashSaves,
});
const verified = (kinds: readonly string[]): SupervisorEvent => ({
  name: 'checkpoint-verified',
  sequence: 1,
  step: 1,
  epoch: 0,
  kinds,
  reason: null,
  bytes: 1,
  digest: '',
  path: '',
  stallMs: 0,
  writeMs: 0,
});
const after = (...events: SupervisorEvent[]) => events.reduce((facts, event) => afterEvent(facts, event, 0), NO_FACTS);

test('a trainer that comes further only by its crashes is warned of, until a regular checkpoint verifies', () => {
  expect(judgeCrashLoop(NO_FACTS).kind).toBe('clear');
  expect(judgeCrashLoop(after(planned(CRASH_LOOP - 1))).kind).toBe('keep');
  const loop = judgeCrashLoop(after(planned(CRASH_LOOP), verified(['emergency']), ENDED));
  expect(loop).toMatchObject({ kind: 'raise', message: expect.stringContaining(`${CRASH_LOOP} times in a row`) });
  expect(judgeCrashLoop(after(planned(CRASH_LOOP), verified(['auto']))).kind).toBe('clear');
});
