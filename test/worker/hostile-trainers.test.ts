/** Trainers that use the SDK in ways that its manual does not show. */
import { expect, test } from 'vitest';
import { launchTrainer } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';
import { SDK, writeTrainer } from './rig/write-trainer.ts';

function trainer(body: string): string {
  return writeTrainer(
    `import { fork } from 'node:child_process';
    import { fileURLToPath } from 'node:url';
    import { arraysState, connect } from ${JSON.stringify(SDK)};
    const weights = new Float32Array(4);
    ${body}`,
  );
}

test('a loop without batches is in phase train from its first step on', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = trainer(`const run = await connect();
    await run.restore(arraysState({ weights }));
    for (;;) { await new Promise((resolve) => setTimeout(resolve, 5)); await run.step({ loss: 1 }); }`);
  launchTrainer([], supervisor.environment(), { script });
  expect((await supervisor.heard('phase')).phase).toBe('train');
  expect((await supervisor.heard('progress', ({ step }) => step > 0)).phase).toBe('train');
});

test('steps that nobody waits for obey a stop once, and are said', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = trainer(`const run = await connect();
    await run.restore(arraysState({ weights }));
    // Until the stop came in, and for some steps more: the loop takes it without a turn of the event loop.
    let stopped = 0;
    run.on('stop', () => { stopped++; });
    run.step({ loss: 1 });
    for (let more = 20; more > 0; ) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      run.step({ loss: 1 });
      if (stopped > 0) more--;
    }
    await new Promise((resolve) => setTimeout(resolve, 60_000));`);
  const worker = launchTrainer([], supervisor.environment(), { script });
  await supervisor.heard('progress', ({ step }) => step > 0);
  supervisor.stop('s1', 'SIGINT');
  expect((await worker.ended).code).toBe(75);
  expect(supervisor.of('saved').map(({ state, request }) => [state, request])).toEqual([
    ['durable', 's1'],
    ['verified', 's1'],
  ]);
  expect(supervisor.of('notice').filter(({ message }) => message.includes('await it'))).toHaveLength(1);
});

test('a save between a batch and its step is said to train the batch again', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = trainer(`const run = await connect();
    await run.restore(arraysState({ weights }));
    for (const epoch of run.epochs(1)) {
      for (const batch of run.batches([1, 2, 3, 4], { size: 2 })) {
        if (process.argv[2] === 'inside') await run.save();
        await run.step({ loss: 1 });
        await run.save();
      }
    }
    await run.complete();`);
  const said = () => supervisor.of('notice').filter(({ message }) => message.includes('save after the step')).length;
  expect((await launchTrainer(['outside'], supervisor.environment(), { script }).ended).code).toBe(0);
  expect(said()).toBe(0);
  supervisor.resume = null;
  expect((await launchTrainer(['inside'], supervisor.environment(), { script }).ended).code).toBe(0);
  expect(said()).toBe(1);
});

test('an epoch without batches that is taken up in its middle is said to start over; with batches nothing is said', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = trainer(`const run = await connect();
    await run.restore(arraysState({ weights }));
    const own = process.argv[2] === 'own';
    for (const epoch of run.epochs(2)) {
      for (const batch of own ? [1, 2, 3, 4] : run.batches([1, 2, 3, 4], { size: 1 })) {
        await run.step({ loss: 1 });
        if (run.fresh && run.steps === 2) { await run.save(); process.exit(1); }
      }
    }
    await run.complete();`);
  const said = () => supervisor.of('notice').filter(({ message }) => message.includes('from its head')).length;
  for (const [loop, times] of [
    ['batches', 0],
    ['own', 1],
  ] as const) {
    supervisor.resume = null;
    expect((await launchTrainer([loop], supervisor.environment(), { script }).ended).code).toBe(1);
    expect(said()).toBe(0);
    supervisor.resume = 'choose';
    expect((await launchTrainer([loop], supervisor.environment(), { script }).ended).code).toBe(0);
    expect(said()).toBe(times);
  }
});

test('neither a second connect nor a child of the trainer takes the place of the worker', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = trainer(`if (process.argv[2] === 'child') {
      await connect().catch(({ code }) => { console.log('child', code); process.exit(); });
    }
    const run = await connect();
    await connect().catch(({ code }) => console.log('again', code));
    const child = fork(fileURLToPath(import.meta.url), ['child']);
    await new Promise((resolve) => child.on('exit', resolve));
    await run.complete();`);
  const worker = launchTrainer([], supervisor.environment(), { script });
  expect((await worker.ended).code).toBe(0);
  expect(worker.stdout).toBe('again usage\nchild usage\n');
  expect(supervisor.of('hello').map(({ pid }) => pid)).toEqual([worker.pid]);
});
