/** Every ending that Node lets us see finishes the save in flight; without the exit handler it would be lost. */
import { expect, test } from 'vitest';
import { launchTrainer } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';
import { SDK, writeTrainer } from './rig/write-trainer.ts';

/** Begins a periodic save of 64 MiB in 64 tensors at step 1, then ends at step 2 with most of it unread. */
function trainer(ending: string): string {
  return writeTrainer(
    `import { arraysState, connect } from ${JSON.stringify(SDK)};
    if (process.env.WITHOUT_HANDLER) {
      const on = process.on;
      process.on = (event, listener) => event === 'exit' ? process : on.call(process, event, listener);
    }
    const run = await connect();
    const arrays = Object.fromEntries(Array.from({ length: 64 }, (_, at) => ['t' + at, new Float32Array(262144).fill(at)]));
    await run.restore(arraysState(arrays));
    await run.step({ loss: 1 });
    for (const array of Object.values(arrays)) array.fill(-1);
    await run.step({ loss: 1 });
    ${ending}`,
  );
}

const endings = [
  ['process.exit', 'process.exit(3);', 3],
  ['an uncaught throw', 'throw new Error("boom");', 1],
  [
    'a rejection that nobody handles',
    'Promise.reject(new Error("boom")); await new Promise((resolve) => setTimeout(resolve, 5000));',
    1,
  ],
  ['the natural end', '', 0],
  ['SIGTERM', 'process.kill(process.pid, "SIGTERM"); await new Promise((resolve) => setTimeout(resolve, 5000));', 143],
] as const;

test.each(endings)('%s commits the save in flight', async (_, ending, code) => {
  const supervisor = await new ScriptedSupervisor({ everySteps: 1 }).live();
  const worker = launchTrainer([], supervisor.environment(), { script: trainer(ending) });
  expect((await worker.ended).code).toBe(code);
  const [manifest] = await supervisor.manifests();
  expect(manifest).toMatchObject({ step: 1, kinds: ['auto'] });
  expect(await supervisor.heard('saved')).toMatchObject({ state: 'durable', step: 1 });
  // What was saved is the state of step 1, not what came after it.
  expect((await supervisor.choose())?.step).toBe(1);
});

test('without the exit handler the save in flight is lost', async () => {
  const supervisor = await new ScriptedSupervisor({ everySteps: 1 }).live();
  const environment = { ...supervisor.environment(), WITHOUT_HANDLER: '1' };
  await launchTrainer([], environment, { script: trainer('process.exit(3);') }).ended;
  expect(await supervisor.manifests()).toEqual([]);
});

test('the thread crashes: reported, the save in hand fails as data, a new thread goes on', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = writeTrainer(
    `import { arraysState, connect } from ${JSON.stringify(SDK)};
    let thread;
    process.on('worker', (worker) => { thread = worker; });
    const run = await connect();
    await run.restore(arraysState({ weights: new Float32Array(4194304) }));
    await run.step({ loss: 1 });
    const lost = run.save();
    await thread.terminate();
    console.log(JSON.stringify(await lost));
    await run.step({ loss: 1 });
    console.log(JSON.stringify(await run.save()));
    await run.complete();`,
  );
  const worker = launchTrainer([], supervisor.environment(), { script });
  expect((await worker.ended).code).toBe(0);
  const [lost, made] = worker.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { status: string; code?: string });
  expect(lost).toMatchObject({ status: 'failed', code: 'thread-crashed', step: 1 });
  expect(made).toMatchObject({ status: 'durable', step: 2 });
  expect(supervisor.of('hello').map(({ welcomed }) => welcomed)).toEqual([false, true]);
  expect(supervisor.of('notice')[0]).toMatchObject({
    level: 'error',
    message: expect.stringContaining('crashed and was restarted'),
  });
  expect(supervisor.of('save-failed')[0]).toMatchObject({ code: 'thread-crashed', step: 1 });
  expect(supervisor.of('done')).toHaveLength(1);
});

test('a state that cannot be saved is refused at the first save, with the key that is at fault', async () => {
  const supervisor = await new ScriptedSupervisor({ everySteps: 1 }).live();
  const script = writeTrainer(
    `import { arraysState, connect } from ${JSON.stringify(SDK)};
    const run = await connect();
    const meter = run.keep('meter', { good: 1 });
    await run.restore(arraysState({ weights: new Float32Array(4) }));
    meter.callback = () => 1;
    await run.step({ loss: 1 });`,
  );
  const worker = launchTrainer([], supervisor.environment(), { script });
  expect((await worker.ended).code).toBe(1);
  expect(worker.stderr).toContain('callback');
  expect(supervisor.of('save-failed')[0]).toMatchObject({
    code: 'state-not-serializable',
    step: 1,
    message: expect.stringContaining('callback'),
  });
});

test('listeners of stop run before the emergency save and are part of it', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = writeTrainer(
    `import { arraysState, connect } from ${JSON.stringify(SDK)};
    const run = await connect();
    const notes = run.keep('notes', { stopped: null });
    run.on('stop', async ({ reason }) => { await null; notes.stopped = reason; });
    run.on('stop', () => { throw new Error('from a listener'); });
    await run.restore(arraysState({ weights: new Float32Array(4) }));
    console.log(JSON.stringify(notes));
    for (;;) { await new Promise((resolve) => setTimeout(resolve, 5)); await run.step({ loss: 1 }); }`,
  );
  const worker = launchTrainer([], supervisor.environment(), { script });
  await supervisor.heard('progress', ({ step }) => step > 0);
  supervisor.stop('s1', 'storm');
  expect((await worker.ended).code).toBe(75);
  expect(supervisor.of('notice')[0]?.message).toContain('from a listener');
  const again = launchTrainer([], supervisor.environment(), { script });
  await supervisor.heard('restored', ({ sequence }) => sequence !== null);
  supervisor.stop('s2');
  await again.ended;
  expect(again.stdout.trim()).toBe('{"stopped":"storm"}');
});

test('a loop that never waits still hears signals and orders', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = writeTrainer(
    `import { arraysState, connect } from ${JSON.stringify(SDK)};
    const run = await connect();
    await run.restore(arraysState({ weights: new Float32Array(4) }));
    for (;;) await run.step();`,
  );
  const trainer = launchTrainer([], supervisor.environment(), { script });
  await supervisor.heard('progress', ({ step }) => step > 100);
  supervisor.save('t1');
  await supervisor.heard('saved', ({ request }) => request === 't1');
  trainer.child.kill('SIGTERM');
  expect((await trainer.ended).code).toBe(143);
});
