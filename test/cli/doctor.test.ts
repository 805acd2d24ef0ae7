/** `doctor` as it is typed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.ts';
import { FakeSmi } from '../rig/fake-smi.ts';
import { World } from './world.ts';

it.concurrent('examines a machine without a GPU: that is said once, and is no error', async () => {
  const world = new World();
  const { code, stdout } = await world.cli(['doctor'], { NKAT_NVIDIA_SMI: '/nowhere/nvidia-smi' });
  expect(stdout.match(/GPU/g)).toHaveLength(1);
  expect(stdout).toMatch(/ok +backend +tfjs-wasm works on the CPU, a product of two matrices took [\d.]+ ms/);
  expect(stdout).toMatch(/disk-space +.*\(checkpoints\) has/);
  for (const check of ['state-home', 'node', 'clock', 'ups', 'service']) expect(stdout).toContain(` ${check} `);
  expect(code).toBe(0);
});

it.concurrent('leaves with 78 for a driver that is too old, and tells a program why', async () => {
  const fake = await FakeSmi.start({ cards: [{ model: 't4' }] });
  const world = new World();
  // Checkpoints go where nobody may write: a file stands in the way.
  writeFileSync(join(world.directory, 'file'), '');
  mkdirSync(world.home.checkpoints, { recursive: true });
  const environment = { ...fake.environment, NKAT_DIR: join(world.directory, 'file', 'below') };
  const { code, stdout } = await world.cli(['doctor', '--json'], environment);
  const { version, healthy, findings } = JSON.parse(stdout) as { version: 1; healthy: boolean; findings: Finding[] };
  expect([code, version, healthy]).toEqual([78, 1, false]);
  const problems = findings.filter(({ severity }) => severity === 'problem').map(({ check }) => check);
  expect(problems).toEqual(['driver', 'cuda', 'disk']);
  expect(findings).toContainEqual(
    expect.objectContaining({ check: 'backend', severity: 'warning', mend: 'nkat-recover backend install --cuda12' }),
  );
});
