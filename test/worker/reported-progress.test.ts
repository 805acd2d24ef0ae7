/** What work without epochs says of itself: numbers, on one line; and 100 % when all is done. */
import { expect, test } from 'vitest';
import { reportedProgress } from '../../src/worker/reported-progress.ts';
import { launchTrainer } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';
import { SDK, writeTrainer } from './rig/write-trainer.ts';

/** As from a trainer in JavaScript, which no types keep from it. */
const said = (...args: readonly unknown[]): unknown => Reflect.apply(reportedProgress, null, args);

test.each([
  [['50', null, {}], 'percent is a string, not a number'],
  [[undefined, null, {}], 'percent is undefined, not a number'],
  [[{}, null, {}], 'percent is an object, not a number'],
  [[[50], null, {}], 'percent is an array, not a number'],
  [[101, null, {}], 'percent must be from 0 to 100, not 101'],
  [[Number.NaN, null, {}], 'percent must be from 0 to 100, not NaN'],
  [[1, null, { found: {} }], "result 'found' is an object, not a number"],
  [[1, null, { found: null }], "result 'found' is null, not a number"],
  [[1, null, 'found'], 'results are numbers by name, such as { found: 3 }, not a string'],
])('%j is refused', (args, message) => {
  expect(() => said(...args)).toThrow(message);
});

test('a stage is one line', () => {
  expect(said(1, ' adding\n\tup\r\n', {})).toMatchObject({ stage: 'adding up' });
});

test('a run that is completed has done all, whatever it said last', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = writeTrainer(
    `import { connect } from ${JSON.stringify(SDK)};
    const run = await connect();
    run.progress(98, 'adding up', { found: 3 });
    await run.complete();`,
  );
  const trainer = launchTrainer([], supervisor.environment(), { script });
  expect((await trainer.ended).code).toBe(0);
  const { report } = await supervisor.heard('progress', ({ percent }) => percent === 100);
  expect(report).toEqual({ percent: 100, stage: 'adding up', results: { found: 3 } });
});
