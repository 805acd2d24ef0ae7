/** A trainer that cannot go on as it is set up says so in words, and leaves the session as it was. */
import { expect, test } from 'vitest';
import { launchTrainer } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';
import { SDK, writeTrainer } from './rig/write-trainer.ts';

test('run.refuse ends with 78, with the words and the hint, without a stack and without a save', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = writeTrainer(
    `import { arraysState, connect } from ${JSON.stringify(SDK)};
    const run = await connect();
    const weights = new Float32Array(8);
    await run.restore(arraysState({ weights }));
    await run.step({ loss: 1 });
    run.refuse('/data/images is empty', 'Mount it.');
    console.log('not reached');`,
  );
  const worker = launchTrainer([], supervisor.environment(), { script });
  expect((await worker.ended).code).toBe(78);
  expect(worker.stderr).toBe('nkat-recover: /data/images is empty. Mount it.\n');
  expect(worker.stdout).toBe('');
  expect(await supervisor.manifests()).toEqual([]);
});
