import { expect, test } from 'vitest';
import type { MachineEvent } from '../../src/supervisor/machine/event.ts';
import { RunLoop } from '../../src/supervisor/run-loop.ts';
import { waitFor } from '../rig/wait-for.ts';
import { Rig, SETTINGS } from './machine/rig.ts';

test('who slept for an hour, and hears of nobody meanwhile, blames itself and not the worker', async () => {
  const { state, nowMs } = new Rig().train();
  const sleep = { ms: 0 };
  let noted: (event: MachineEvent) => void = () => undefined;
  const first = new Promise<MachineEvent>((resolve) => {
    noted = resolve;
  });
  const actor = { record: async (_: unknown, event: MachineEvent) => noted(event), perform: async () => undefined };
  const loop = new RunLoop(state, SETTINGS, actor, () => nowMs + sleep.ms + performance.now());
  loop.ended.catch(() => undefined);
  sleep.ms = 3_600_000;
  expect(await first).toMatchObject({ type: 'woke-late' });
  // Its deadline, too, is judged after that.
  await new Promise<void>((resolve) => setImmediate(resolve));
  expect(loop.state.kind).toBe('running');
  loop.fail(new Error('the test is over'));
});

test('a stop that falls into the very turn of the event loop that judges is our own silence too', async () => {
  const { state, nowMs } = new Rig().train();
  const events: MachineEvent[] = [];
  const actor = {
    record: async (_: unknown, event: MachineEvent) => void events.push(event),
    perform: async () => undefined,
  };
  // A tick's first look at the clock is from before the stop; every later one sees an hour more.
  const looksMs = [0, 1_000];
  const loop = new RunLoop(state, SETTINGS, actor, () => nowMs + (looksMs.shift() ?? 3_601_000));
  loop.ended.catch(() => undefined);
  await waitFor('an event', () => events.length > 0);
  expect(events[0]).toMatchObject({ type: 'woke-late' });
  expect(loop.state.kind).toBe('running');
  loop.fail(new Error('the test is over'));
});
