/** A session that needs a GPU is not started before one answers. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeSmi } from '../../rig/fake-smi.ts';
import { World } from '../world.ts';

const ID = '20261122_120000_cccc';

/** Interrupted a moment ago; its trainer ends at once, as one does that finds no card. */
async function interrupted(requireGpu: string | null, configuration: string | null = null): Promise<World> {
  const world = new World();
  if (configuration !== null) writeFileSync(join(world.directory, 'nkat-recover.yaml'), configuration);
  const trainer = join(world.directory, 'train.mjs');
  writeFileSync(trainer, 'process.exit(93);');
  const updatedAt = new Date(Date.now() - 1_000).toISOString();
  const launch = {
    environment: requireGpu === null ? {} : { NKAT_REQUIRE_GPU: requireGpu },
    noConfig: configuration === null,
  };
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
  const asked = await interrupted(null, 'requireGpu: true\n');
  const refused = [lacking.cli(['recover', '--disk-wait', '1s'], none), asked.cli(['recover'], none)];
  for (const told of await Promise.all(refused)) {
    expect(told.stderr).toContain('it needs a GPU, and none answers');
    expect(told).toMatchObject({ code: 78, stderr: expect.not.stringContaining('is resumed') });
  }
  const fake = await FakeSmi.start({ cards: [{ model: 'rtx3080' }] });
  const started = [
    lacking.cli(['recover'], { ...fake.environment }),
    asked.cli(['recover'], { ...fake.environment }),
    (await interrupted(null)).cli(['recover'], none),
    // A variable goes over the file.
    (await interrupted('off', 'requireGpu: true\n')).cli(['recover'], none),
  ];
  for (const told of await Promise.all(started)) expect(told.stderr).toContain('is resumed');
});
