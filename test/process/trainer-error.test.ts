/** An uncaught error of the trainer under the real supervisor: saved, classified, and the budget holds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { testInWorld } from './rig.ts';

const FRAGILE = fileURLToPath(new URL('../../fixtures/trainers/fragile.mjs', import.meta.url));
const NETWORK = fileURLToPath(new URL('../../fixtures/trainers/network.mjs', import.meta.url));

testInWorld.concurrent(
  'a poisoned step: its emergency save is progress once; set aside, stepped back, given up',
  async ({ world }) => {
    const run = world.run([FRAGILE, '--save-at', '4', '--poison', '8'], ['--backoff', '10ms']);
    await run.ended(1);
    expect(run.named('worker-ended').every((event) => event.class === 'error')).toBe(true);
    const emergencies = run.named('saved').filter(({ kinds }) => kinds.includes('emergency'));
    expect(emergencies[0]).toMatchObject({ step: 7, reason: 'Error: boom at step 8' });
    // Checkpoints at 4 and 7: the first launch made progress, none after it.
    expect(run.named('attempt-started')).toHaveLength(7);
    expect(run.named('checkpoint-set-aside').map(({ sequence }) => sequence)).toContain(emergencies[0]?.sequence);
    const starts = run.named('training-started').map(({ step }) => step);
    expect(starts.slice(0, 3)).toEqual([0, 7, 7]);
    expect(Math.max(...starts.slice(3))).toBeLessThan(7);
  },
);

testInWorld.concurrent(
  'NaN with a trainer that adapts: from before it with half the rate, twice, and the scale stays',
  async ({ world }) => {
    const line = [NETWORK, '--adapts', '--fail', 'NaN', '--at-step', '6', '--nan-above', '0.3'];
    const run = world.run(line, ['--save-every-steps', '2', '--backoff', '10ms']);
    await run.ended(0);
    const scales = run.outputLines().filter((text) => text.startsWith('scale '));
    expect(scales.map((text) => text.split(/[ ,]+/)[1])).toEqual(['1', '0.5', '0.25']);
    const rates = scales.map((text) => Number(text.split(' ').at(-1)));
    // The cosine has moved a little from the first start to the resume.
    expect((rates[2] ?? 0) / (rates[1] ?? 1)).toBe(0.5);
    expect((rates[1] ?? 0) / (rates[0] ?? 1)).toBeCloseTo(0.5, 2);
    expect(run.named('worker-ended').map((event) => event.class)).toEqual(['diverged', 'diverged', 'completed']);
    // Nothing was saved at or after the step that diverged until one was made without.
    const from = run.events.findIndex(({ name }) => name === 'diverged');
    const upTo = run.events.findLastIndex(({ name }) => name === 'diverged');
    const between = run.events.slice(0, upTo).filter((event) => event.name === 'saved');
    expect(from).toBeGreaterThan(0);
    expect(Math.max(...between.map(({ step }) => step))).toBeLessThan(6);
    expect(run.named('restart-planned')[0]?.reason).toContain('scaled by 0.5');
    const { directory } = await run.event('session-opened');
    expect(JSON.parse(readFileSync(join(directory, 'session.json'), 'utf8')).budget.divergences).toBe(2);
  },
);
