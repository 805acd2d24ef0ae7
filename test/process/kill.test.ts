/** Resumed equals uninterrupted: killed at the worst moments, the run goes on alone to the very same end. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SupervisorEvent } from '../../src/supervisor/events.ts';
import { counter, digestsOf, type Run, signalPid, World } from './rig.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const LINE = ['--epochs', '4', '--steps-per-epoch', '30', '--step-ms', '15'];
const SAVES = ['--save-every-steps', '7'];

/** Kills the worker the first time that an event fits, once for each entry. */
async function killAt(run: Run, moments: readonly ((event: SupervisorEvent) => boolean)[]): Promise<void> {
  for (const [index, fits] of moments.entries()) {
    const { pid } = await run.event('worker-connected', () => true, index + 1);
    const from = run.events.length;
    await run.until(() => run.events.slice(from).some(fits));
    signalPid(pid, 'SIGKILL');
    await run.event('worker-ended', (event) => event.class === 'killed', index + 1);
  }
}

test('five kills at different moments: same digest, same history, same best metric', async () => {
  const undisturbed = world.run(counter(LINE), [...SAVES, '--name', 'undisturbed']);
  await undisturbed.ended(0);

  const killed = world.run(counter(LINE), [...SAVES, '--name', 'killed']);
  await killAt(killed, [
    ({ name }) => name === 'saved',
    ({ name }) => name === 'save-started',
    ({ name }) => name === 'training-started',
    (event) => event.name === 'progress' && event.step >= 40,
    (event) => event.name === 'checkpoint-verified' && event.step >= 60,
  ]);
  await killed.ended(0);

  const [expected, actual] = [digestsOf(undisturbed), digestsOf(killed)];
  expect(actual.final).toBe(expected.final);
  expect(actual.bestStep).toBe(expected.bestStep);
  expect(killed.named('worker-ended').map((event) => event.class)).toEqual([...Array(5).fill('killed'), 'completed']);
  expect(killed.outputLines().at(-1)).toBe(undisturbed.outputLines().at(-1));
  // The tensors hold the loss history; the digest covers it. The state holds what the trainer kept.
  expect(stateOf(killed)).toEqual(stateOf(undisturbed));
});

test('a worker killed before its first save starts over, and says that nothing was saved', async () => {
  const run = world.run(counter(LINE), ['--save-every-steps', '60']);
  const { pid } = await run.event('worker-connected');
  await run.event('output', ({ line }) => line === 'fresh');
  signalPid(pid, 'SIGKILL');
  await run.ended(0);
  expect(run.named('checkpoint-chosen')).toEqual([]);
  expect(run.outputLines().filter((line) => line === 'fresh')).toHaveLength(2);
});

test('attempts, transitions and checkpoints are indexed and shown', async () => {
  const run = world.run(counter(LINE), SAVES);
  await run.event('saved');
  signalPid((await run.event('worker-connected')).pid, 'SIGKILL');
  await run.ended(0);
  const shown = (await world.query(['show', 'latest'])) as {
    session: { state: string; attempts: number; step: number };
    attempts: { number: number; class: string; signal: string | null; resumedFromSequence: number | null }[];
    checkpoints: { kinds: string[]; state: string }[];
  };
  expect(shown.session).toMatchObject({ state: 'completed', attempts: 2, step: 120 });
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
