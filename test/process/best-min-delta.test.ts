/** What a person sets for saves reaches the trainer: by flag, by variable, by file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counter, World } from './rig.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const LINE = ['--epochs', '4', '--steps-per-epoch', '20', '--step-ms', '5'];

async function bests(options: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
  const run = world.start(['run', '--json', '--new', ...options, ...counter(LINE)], undefined, environment);
  await run.ended(0);
  return run.named('saved').filter(({ kinds }) => kinds.includes('best')).length;
}

test('--best-min-delta: an improvement below it is none, whichever layer says so', async () => {
  const rule = ['--best', 'loss:min', '--save-every', 'off'];
  const file = join(world.directory, 'other.yaml');
  writeFileSync(file, 'best_min_delta: 1000\n');
  const [every, byFlag, byVariable, byFile, over] = await Promise.all([
    bests(rule),
    bests([...rule, '--best-min-delta', '1000']),
    bests(rule, { NKAT_BEST_MIN_DELTA: '1000' }),
    bests([...rule, '--config', file]),
    bests([...rule, '--config', file, '--best-min-delta', '0']),
  ]);
  expect(every).toBeGreaterThan(1);
  expect(over).toBe(every);
  expect({ byFlag, byVariable, byFile }).toEqual({ byFlag: 1, byVariable: 1, byFile: 1 });
});

test('--async-save off: no step is made until the save before it is durable', async () => {
  const options = ['--save-every-steps', '1', '--keep', '100', '--async-save', 'off'];
  const run = world.start([
    'run',
    '--json',
    ...options,
    ...counter([...LINE, '--size-mib', '4', '--print-every', '1']),
  ]);
  await run.ended(0);
  // Each step has its own save; with saves beside the training some would have been skipped.
  const auto = run.named('saved').filter(({ kinds }) => kinds.includes('auto'));
  expect(auto.map(({ step }) => step)).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
});
