import { expect, test } from 'vitest';
import type { MachineEvent } from '../../src/supervisor/machine/event.ts';
import { RunLoop } from '../../src/supervisor/run-loop.ts';
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
