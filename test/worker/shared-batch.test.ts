/** Two steps of one batch (a generator and its critic): told once, with what to do. */
import { expect, test } from 'vitest';
import { launchTrainer } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';
import { SDK, writeTrainer } from './rig/write-trainer.ts';

test.each([
  [2, 1],
  [1, 0],
])('%i steps a batch: %i notice', async (steps, notices) => {
  const supervisor = await new ScriptedSupervisor().live();
  const script = writeTrainer(
    `import { connect } from ${JSON.stringify(SDK)};
    const run = await connect();
    for (const _ of run.epochs(2)) {
      for (const batch of run.batches([1, 2, 3, 4], { size: 2 })) {
        for (let step = 0; step < ${steps}; step += 1) await run.step({ loss: batch.length });
      }
      await run.epochEnd();
    }
    await run.complete();`,
  );
  const trainer = launchTrainer([], supervisor.environment(), { script });
  expect((await trainer.ended).code).toBe(0);
  await supervisor.heard('done');
  const told = supervisor.of('notice').map(({ message }) => message);
  expect(told).toHaveLength(notices);
  for (const message of told) expect(message).toMatch(/twice for one batch.*call run\.step\(\) once a batch/);
});
