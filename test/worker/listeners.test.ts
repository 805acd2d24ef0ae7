/** What a trainer's own listeners throw is told with its place in the code, and costs neither the pause nor the run. */
import { expect, test } from 'vitest';
import { launchTrainer } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';
import { SDK, writeTrainer } from './rig/write-trainer.ts';

test('a listener of pause that throws: told as an error, the next one runs, and training goes on after the pause', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = writeTrainer(
    `import { arraysState, connect } from ${JSON.stringify(SDK)};
    const run = await connect();
    run.on('pause', function first() { throw new Error('at once'); });
    run.on('pause', async () => { await null; throw undefined; });
    run.on('pause', ({ reason }) => console.log('paused: ' + reason));
    await run.restore(arraysState({ weights: new Float32Array(4) }));
    for (;;) { await new Promise((resolve) => setTimeout(resolve, 5)); await run.step({ loss: 1 }); }`,
  );
  const trainer = launchTrainer([], supervisor.environment(), { script });
  await supervisor.heard('progress', ({ step }) => step > 0);
  supervisor.send({ v: 1, type: 'pause', reason: 'too warm' });
  await supervisor.heard('notice', ({ message }) => message.includes('undefined'));
  supervisor.send({ v: 1, type: 'continue' });
  const { step } = supervisor.of('progress').at(-1) ?? { step: 0 };
  await supervisor.heard('progress', (report) => report.step > step + 5);
  expect(trainer.stdout).toBe('paused: too warm\n');
  const notices = supervisor.of('notice');
  expect(notices.map(({ level }) => level)).toEqual(['error', 'error']);
  expect(notices[0]?.message).toMatch(/a listener of the trainer threw: .*at once[\s\S]*trainer\.mjs/);
  supervisor.stop('s1', null);
  expect((await trainer.ended).code).toBe(75);
});

test('a listener that never settles, of a pause or of the stop, costs neither the stop nor its save', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = writeTrainer(
    `import { arraysState, connect } from ${JSON.stringify(SDK)};
    const run = await connect();
    // Ten seconds pass in no time: what is held here is that they are bounded.
    const { setTimeout: real } = globalThis;
    globalThis.setTimeout = (work, ms, ...rest) => real(work, ms === 10_000 ? 10 : ms, ...rest);
    run.on('pause', () => new Promise(() => {}));
    run.on('stop', () => ({ then() {} }));
    await run.restore(arraysState({ weights: new Float32Array(4) }));
    for (;;) { await new Promise((resolve) => setTimeout(resolve, 5)); await run.step({ loss: 1 }); }`,
  );
  const trainer = launchTrainer([], supervisor.environment(), { script });
  await supervisor.heard('progress', ({ step }) => step > 0);
  supervisor.send({ v: 1, type: 'pause', reason: 'too warm' });
  await supervisor.heard('notice', ({ message }) => message.includes('has not settled for 10 s'));
  supervisor.stop('s1', null);
  expect((await trainer.ended).code).toBe(75);
  expect(supervisor.of('notice').filter(({ message }) => message.includes('has not settled'))).toHaveLength(2);
});
