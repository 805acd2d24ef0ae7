/** An uncaught error of the trainer under the real supervisor: saved, classified, and the budget holds. */
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { World } from './rig.ts';

const NETWORK = fileURLToPath(new URL('../../fixtures/trainers/network.mjs', import.meta.url));

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

test('a poisoned step: its emergency save is progress once; set aside, stepped back, given up', async () => {
  const line = [NETWORK, '--epochs', '4', '--fail', 'drawn', '--at-step', '8'];
  const run = world.run(line, ['--save-every-steps', '3', '--backoff', '10ms']);
  await run.ended(1);
  expect(run.named('worker-ended').every((event) => event.class === 'error')).toBe(true);
  const emergencies = run.named('saved').filter(({ kinds }) => kinds.includes('emergency'));
  expect(emergencies[0]).toMatchObject({ step: 7, reason: 'Error: boom drawn' });
  // Checkpoints at 3, 4 (best), 6 and 7: the first launch made progress, none after it.
  expect(run.named('attempt-started')).toHaveLength(7);
  expect(run.named('checkpoint-set-aside').map(({ sequence }) => sequence)).toContain(emergencies[0]?.sequence);
  const starts = run.named('training-started').map(({ step }) => step);
  expect(starts.slice(0, 3)).toEqual([0, 7, 7]);
  expect(Math.max(...starts.slice(3))).toBeLessThan(7);
});
