/** The budget of restarts is durable: a supervisor that dies between two crashes changes nothing of it. */
import { readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Run, signalPid, testInWorld } from './rig.ts';

const FRAGILE = fileURLToPath(new URL('../../fixtures/trainers/fragile.mjs', import.meta.url));

const budgetIn = (directory: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(directory, 'session.json'), 'utf8')).budget;
const scales = (run: Run): string[] => run.outputLines().filter((text) => text.startsWith('scale '));

async function killed(run: Run): Promise<void> {
  run.signal('SIGKILL');
  await run.exited;
}

testInWorld.concurrent(
  'kill -9 of the supervisor between crashes: still six attempts without progress in all',
  async ({ world }) => {
    const line = [FRAGILE, '--steps', '8', '--exit-at', '3', '--crash-from', '2'];
    const first = world.run(line, ['--save-every-steps', '2', '--backoff', '1m']);
    await first.event('restart-planned', ({ withoutProgress }) => withoutProgress === 2);
    await killed(first);
    const second = world.run(line, ['--save-every-steps', '2', '--backoff', '10ms']);
    await second.ended(1);
    expect(second.named('session-ended')[0]?.reason).toContain('6 attempts in a row without progress');
    const numbers = [...first.named('attempt-started'), ...second.named('attempt-started')].map(
      ({ attempt }) => attempt,
    );
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7]);
  },
);

testInWorld.concurrent(
  'a trainer that stumbles after each step comes through, each restart later, counted across supervisors',
  async ({ world }) => {
    const line = [FRAGILE, '--steps', '6', '--stumbles'];
    const first = world.run(line, ['--backoff', '2s']);
    const { directory } = await first.event('session-opened');
    const planned = await first.event('restart-planned', ({ crashSaves }) => crashSaves === 3);
    expect(planned.delayMs).toBeGreaterThanOrEqual(3_000);
    await killed(first);
    expect(budgetIn(directory)).toMatchObject({ crashSaves: 3, withoutProgress: 0 });
    const second = world.run(line, ['--backoff', '10ms']);
    await second.ended(0);
    expect(second.named('restart-planned').map(({ crashSaves }) => crashSaves)).toEqual([4, 5]);
    expect(second.named('restart-planned').every(({ delayMs }) => delayMs > 0)).toBe(true);
    // The final checkpoint is a regular one.
    expect(budgetIn(directory).crashSaves ?? 0).toBe(0);
  },
);

testInWorld.concurrent('what a divergence scaled stays scaled under the next supervisor', async ({ world }) => {
  const go = join(world.directory, 'go');
  const line = [FRAGILE, '--steps', '8', '--nan-at', '5', '--nan-above', '0.5', '--await', go];
  const options = ['--save-every-steps', '2', '--backoff', '10ms'];
  const first = world.run(line, options);
  const { directory } = await first.event('session-opened');
  const { pid } = await first.event('worker-connected', () => true, 2);
  await first.event('progress', ({ step }) => step >= 8);
  await killed(first);
  signalPid(pid, 'SIGKILL');
  expect(budgetIn(directory)).toMatchObject({ divergences: 1 });
  expect(scales(first).map((text) => text.split(' ')[1])).toEqual(['1', '0.5']);
  writeFileSync(go, '');
  const second = world.run(line, options);
  await second.ended(0);
  expect(scales(second).map((text) => text.split(' ')[1])).toEqual(['0.5']);
  expect(budgetIn(directory)).toMatchObject({ divergences: 1 });
});

testInWorld.concurrent(
  'an end that was counted by a supervisor which died before it had dealt with it is not counted again',
  async ({ world }) => {
    const line = world.endless();
    const first = world.run(line, ['--save-every', 'off']);
    const { directory } = await first.event('session-opened');
    const { pid } = await first.event('worker-connected');
    await first.event('progress');
    await killed(first);
    signalPid(pid, 'SIGKILL');
    await world.until(() => world.processes().length === 0);
    // What it writes in one step when a worker has ended: the count, and that it is made.
    const path = join(directory, 'session.json');
    const file = JSON.parse(readFileSync(path, 'utf8'));
    const budget = { ...file.budget, withoutProgress: 1, fromSameCheckpoint: 1, restarts: 1 };
    writeFileSync(path, JSON.stringify({ ...file, budget, worker: { ...file.worker, counted: true } }));
    world.enough();
    const second = world.run(line, ['--save-every', 'off']);
    await second.ended(0);
    expect(second.named('worker-ended').map((ended) => ended.class)).toEqual(['killed', 'completed']);
    expect(budgetIn(directory)).toMatchObject({ restarts: 1 });
  },
);

testInWorld.concurrent('the count of an end, and that it was made, are one write', async ({ world }) => {
  const run = world.run(world.endless(), ['--save-every', 'off']);
  const { directory } = await run.event('session-opened');
  const seen: { restarts: number; counted: boolean }[] = [];
  const { pid } = await run.event('worker-connected');
  await run.event('progress');
  const watcher = watch(directory, () => {
    const { budget, worker } = JSON.parse(readFileSync(join(directory, 'session.json'), 'utf8'));
    if (worker?.attempt === 1) seen.push({ restarts: budget.restarts, counted: worker.counted ?? false });
  });
  signalPid(pid, 'SIGKILL');
  await run.event('worker-connected', () => true, 2);
  watcher.close();
  world.enough();
  await run.ended(0);
  expect(seen.filter(({ restarts, counted }) => counted !== restarts > 0)).toEqual([]);
});
