/** A session that needs a GPU is not started before one answers. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeSmi } from '../../rig/fake-smi.ts';
import { World } from '../world.ts';

const ID = '20261122_120000_cccc';

/** Interrupted a moment ago; its trainer ends at once, as one does that finds no card. */
async function interrupted(requireGpu: string | null): Promise<World> {
  const world = new World();
  const trainer = join(world.directory, 'train.mjs');
  writeFileSync(trainer, 'process.exit(93);');
  const updatedAt = new Date(Date.now() - 1_000).toISOString();
  const launch = { environment: requireGpu === null ? {} : { NKAT_REQUIRE_GPU: requireGpu }, noConfig: true };
  await world.addSession(ID, {
    row: { state: 'running', updatedAt, trainer },
    file: { state: 'running', updatedAt, launch },
    steps: [1],
  });
  return world;
}

test('without a card it waits and then is refused, and nothing is launched; with one it is started, as is one that needs none', async () => {
  const none = { NKAT_NVIDIA_SMI: '/nowhere/nvidia-smi' };
  const lacking = await interrupted('true');
  const refused = await lacking.cli(['recover', '--disk-wait', '1s'], none);
  expect(refused.stderr).toContain('it needs a GPU, and none answers');
  expect(refused).toMatchObject({ code: 78, stderr: expect.not.stringContaining('is resumed') });
  const fake = await FakeSmi.start({ cards: [{ model: 'rtx3080' }] });
  for (const [world, environment] of [
    [lacking, fake.environment],
    [await interrupted(null), none],
    [await interrupted('off'), none],
  ] as const) {
    expect((await world.cli(['recover'], { ...environment })).stderr).toContain('is resumed');
  }
});
