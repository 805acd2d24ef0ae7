/** What depends on the clock is shown and noted, and is part of nothing that two runs are compared by. */
import { expect, test } from 'vitest';
import { launchTrainer } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';
import { SDK, writeTrainer } from './rig/write-trainer.ts';

async function trained(pace: string) {
  const supervisor = await new ScriptedSupervisor().live();
  const script = writeTrainer(
    `import { arraysState, connect } from ${JSON.stringify(SDK)};
    const run = await connect();
    await run.restore(arraysState({ weights: new Float32Array(8) }));
    for (const epoch of run.epochs(2)) {
      run.gauge('images-per-second', ${pace});
      await run.step({ loss: 1 });
    }
    console.log([...run.history('images-per-second')].length);
    await run.complete();`,
  );
  const worker = launchTrainer([], supervisor.environment(), { script });
  expect(await worker.ended).toMatchObject({ code: pace === "'fast'" ? 1 : 0 });
  const [manifest] = await supervisor.manifests();
  return { manifest, worker, progress: supervisor.of('progress') };
}

test('a gauge stands in progress and manifest, not in the history and not in the digest', async () => {
  const [slow, fast] = await Promise.all([trained('100'), trained('200 + epoch')]);
  expect(slow.manifest?.metrics).toMatchObject({ 'images-per-second': 100, loss: 1 });
  expect(fast.manifest?.metrics).toMatchObject({ 'images-per-second': 201 });
  expect(fast.progress.at(-1)?.metrics).toMatchObject({ 'images-per-second': 201 });
  expect(fast.worker.stdout.trim()).toBe('0');
  expect(fast.manifest?.tensorsDigest).toBe(slow.manifest?.tensorsDigest);
});

test('a gauge that is no number is refused', async () => {
  const { worker } = await trained("'fast'");
  expect(worker.stderr).toContain("the gauge 'images-per-second' is a string, not a number");
});
