/** What cannot work stops at once and shows the trainer's own words; what fails each time ends. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { counter, testInWorld, type World } from './rig.ts';

function trainer(world: World, name: string, text: string): string {
  const path = join(world.directory, name);
  writeFileSync(path, text);
  return path;
}

testInWorld.concurrent('a missing trainer: exit 78', async ({ world }) => {
  const run = world.run(['nowhere.ts']);
  await run.ended(78);
  expect(run.stdout + run.stderr).toContain('nowhere.ts');
  expect(run.stdout + run.stderr).not.toMatch(/^\s+at /m);
});

testInWorld.concurrent.for([
  ['a syntax error', 'bad.ts', 'const epochs: number = ;\n', /Unexpected|Expected|error/],
  ['a failing import', 'import.mts', "import { nothing } from './nowhere.ts';\nnothing();\n", /nowhere\.ts/],
  ['a throw before the first step', 'throws.ts', "throw new Error('no such dataset');\n", /no such dataset/],
] as const)('%s: stops at once with the error, exit 78', async ([, file, text, words], { world }) => {
  const run = world.run([trainer(world, file, text)]);
  await run.ended(78);
  expect(run.named('attempt-started')).toHaveLength(1);
  expect(run.named('session-ended')[0]?.lastLines.join('\n')).toMatch(words);
});

testInWorld.concurrent('a throw at the same step each time: steps back, gives up, exit 1', async ({ world }) => {
  const line = ['--epochs', '2', '--steps-per-epoch', '30', '--save-each', '6', '--throw-at-step', '25'];
  const run = world.run(counter(line), ['--save-every', 'off', '--backoff', '10ms']);
  await run.ended(1);
  const ends = run.named('worker-ended');
  expect(ends.every((event) => event.class === 'error')).toBe(true);
  expect(run.named('checkpoint-set-aside').length).toBe(2);
  // What is trained again up to the poisoned step is not taken for a way out of it.
  const steps = run.named('training-started').map(({ step }) => step);
  const [first, again, back, backAgain, further, furtherAgain] = steps.slice(-6);
  expect(again).toBe(first);
  expect(Math.max(back ?? 99, backAgain ?? 99)).toBeLessThan(first ?? 0);
  expect(Math.max(further ?? 99, furtherAgain ?? 99)).toBeLessThan(backAgain ?? 0);
  expect(run.named('session-ended')[0]).toMatchObject({ outcome: 'gave-up' });

  const listed = (await world.query(['list'])) as { sessions: { state: string }[] };
  expect(listed.sessions[0]?.state).toBe('gave-up');
});

testInWorld.concurrent('exit 93 is final, exit 75 restarts, a no-restart code is final', async ({ world }) => {
  const fatal = world.run(counter(['--exit-at-step', '9', '--exit-code', '93']));
  await fatal.ended(93);
  const final = world.run(counter(['--exit-at-step', '9', '--exit-code', '42']), ['--no-restart-codes', '42']);
  await final.ended(93);
  const once = join(world.directory, 'once');
  const line = ['--exit-at-step', '9', '--exit-code', '75', '--once', once];
  const again = world.run(counter(line));
  await again.ended(0);
  expect(again.named('worker-ended').map((event) => event.class)).toEqual(['requested', 'completed']);
});

testInWorld.concurrent('NaN: nothing is saved after it, exit 1', async ({ world }) => {
  const run = world.run(counter(['--nan-at-step', '25']), ['--save-every-steps', '5']);
  await run.ended(1);
  // It does not say that it adapts: the same rate would diverge again.
  expect(run.named('attempt-started')).toHaveLength(1);
  expect(run.named('session-ended')[0]?.outcome).toBe('diverged');
  expect(Math.max(...run.named('saved').map(({ step }) => step))).toBeLessThan(25);
});

testInWorld.concurrent('a script without the SDK runs too, and its exit 0 is completion', async ({ world }) => {
  const run = world.run([trainer(world, 'plain.ts', "const words: string = 'plain';\nconsole.log(words);\n")]);
  await run.ended(0);
  expect(run.outputLines()).toEqual(['plain']);
});
