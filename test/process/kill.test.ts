/** Resumed equals uninterrupted: killed at the worst moments, the run goes on alone to the very same end. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { SupervisorEvent } from '../../src/supervisor/events.ts';
import { counter, digestsOf, type Run, signalPid, testInWorld } from './rig.ts';

const LINE = ['--epochs', '4', '--steps-per-epoch', '30', '--step-ms', '15'];
const SAVES = ['--save-every-steps', '7'];

/** This step is not made until the test lets it. On a slow machine a worker is there before its moment was seen. */
const HOLD_AT = 115;
const isHeld = (event: SupervisorEvent): boolean => event.name === 'progress' && event.step >= HOLD_AT - 1;

/** Kills the worker the first time that an event fits, once for each entry; when it is held, also without. */
async function killAt(run: Run, moments: readonly ((event: SupervisorEvent) => boolean)[]): Promise<void> {
  for (const [index, fits] of moments.entries()) {
    const connected = await run.event('worker-connected', () => true, index + 1);
    const from = run.events.indexOf(connected);
    await run.until(() => run.events.slice(from).some((event) => fits(event) || isHeld(event)));
    signalPid(connected.pid, 'SIGKILL');
    await run.event('worker-ended', (event) => event.class === 'killed', index + 1);
  }
}

testInWorld.concurrent(
  'five kills at different moments: same digest, same history, same best metric',
  async ({ world }) => {
    const go = join(world.directory, 'go');
    // It does not come to its end before it was killed often enough.
    const line = counter([...LINE, '--hold-at', String(HOLD_AT), '--hold', go]);

    const killed = world.run(line, [...SAVES, '--name', 'killed']);
    await killAt(killed, [
      ({ name }) => name === 'saved',
      ({ name }) => name === 'save-started',
      ({ name }) => name === 'training-started',
      (event) => event.name === 'progress' && event.step >= 40,
      (event) => event.name === 'checkpoint-verified' && event.step >= 60,
    ]);
    writeFileSync(go, '');
    const undisturbed = world.run(line, [...SAVES, '--name', 'undisturbed']);
    await killed.ended(0);
    await undisturbed.ended(0);

    const [expected, actual] = [digestsOf(undisturbed), digestsOf(killed)];
    expect(actual.final).toBe(expected.final);
    expect(actual.bestStep).toBe(expected.bestStep);
    expect(killed.named('worker-ended').map((event) => event.class)).toEqual([...Array(5).fill('killed'), 'completed']);
    expect(killed.outputLines().at(-1)).toBe(undisturbed.outputLines().at(-1));
    // The tensors hold the loss history; the digest covers it. The state holds what the trainer kept.
    expect(stateOf(killed)).toEqual(stateOf(undisturbed));
  },
);

testInWorld.concurrent(
  'a worker killed before its first save starts over, and says that nothing was saved',
  async ({ world }) => {
    const run = world.run(world.endless(), ['--save-every', 'off']);
    const { pid } = await run.event('worker-connected');
    await run.event('output', ({ line }) => line === 'fresh');
    signalPid(pid, 'SIGKILL');
    world.enough();
    await run.ended(0);
    expect(run.named('checkpoint-chosen')).toEqual([]);
    expect(run.outputLines().filter((line) => line === 'fresh')).toHaveLength(2);
  },
);

testInWorld.concurrent('attempts, transitions and checkpoints are indexed and shown', async ({ world }) => {
  const run = world.run(world.endless(['--save-each', '4']), ['--save-every', 'off']);
  await run.event('saved');
  signalPid((await run.event('worker-connected')).pid, 'SIGKILL');
  await run.event('saved', () => true, 8);
  world.enough();
  await run.ended(0);
  const shown = (await world.query(['show', 'latest'])) as {
    session: { state: string; attempts: number; restarts: number; step: number };
    attempts: { number: number; class: string; signal: string | null; resumedFromSequence: number | null }[];
    checkpoints: { kinds: string[]; state: string }[];
  };
  expect(shown.session).toMatchObject({
    state: 'completed',
    attempts: 2,
    restarts: 1,
    step: run.named('saved').at(-1)?.step,
  });
  expect(shown.attempts).toMatchObject([
    { number: 1, class: 'killed', signal: 'SIGKILL', resumedFromSequence: null },
    { number: 2, class: 'completed', resumedFromSequence: expect.any(Number) },
  ]);
  expect(shown.checkpoints.some(({ kinds }) => kinds.includes('final'))).toBe(true);
  expect(shown.checkpoints.filter(({ state }) => state === 'verified').length).toBeGreaterThanOrEqual(5);
});

function stateOf(run: Run): unknown {
  const last = run.named('session-ended')[0]?.summary.lastCheckpoint?.path;
  if (last === undefined) throw new Error(run.describe());
  return JSON.parse(readFileSync(join(last, 'state.json'), 'utf8'));
}
