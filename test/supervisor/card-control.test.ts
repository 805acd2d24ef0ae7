/** What a worker is told for the sake of a hot card, and when. */
import { expect, test } from 'vitest';
import { readHeader } from '../../src/gpu/header.ts';
import { type GpuSample, readRow } from '../../src/gpu/sample.ts';
import { smiCommand } from '../../src/gpu/smi-command.ts';
import { CardControl } from '../../src/supervisor/card-control.ts';
import { CardUse } from '../../src/supervisor/card-use.ts';
import type { SupervisorEvent } from '../../src/supervisor/events.ts';
import { waitFor } from '../rig/wait-for.ts';

function at(degrees: number): GpuSample {
  const header = readHeader('index, uuid, pci.bus_id, temperature.gpu');
  const sample = header === null ? null : readRow(header, `0, GPU-a, 00000000:01:00.0, ${degrees}`, 0);
  if (sample === null) throw new Error('no row');
  return sample;
}

/** A machine whose driver does not say which processes are on the card: the worker is taken for one of them. */
function controlled() {
  const shares: number[] = [];
  const told: SupervisorEvent[] = [];
  let ms = 0;
  const nowMs = (): number => ms;
  const smi = smiCommand({ NKAT_NVIDIA_SMI: '/nowhere/nvidia-smi' });
  const use = new CardUse({ smi, nowMs, own: () => new Set(), namesOurPids: () => true });
  const control = new CardControl({ profile: 'rtx3080', tell: (event) => void told.push(event), nowMs, use });
  const nothing = (): undefined => undefined;
  const orders = { save: nothing, release: nothing, loaded: nothing, overheated: nothing, ready: nothing };
  control.attach({ ...orders, named: nothing, throttle: (share) => void shares.push(share) });
  const read = (degrees: number): void => {
    ms += 1_000;
    control.read('GPU-a', at(degrees));
  };
  return { control, use, read, shares };
}

test('while the driver has not answered whether a new worker uses the card, its pace stays as it was told', async () => {
  const { control, use, read, shares } = controlled();
  const hot = (degrees: number, until: () => boolean): Promise<unknown> =>
    waitFor(`the end of ${degrees} C`, () => {
      read(degrees);
      return until();
    });
  await hot(82, () => shares.length > 0);
  expect(control.share).toBeGreaterThan(0);
  const { share } = control;

  use.take({ name: 'training-started', attempt: 2, sequence: 1, step: 1, epoch: 0, backend: 'arrays', restoreMs: 1 });
  read(82);
  expect(shares).not.toContain(0);
  expect(control.share).toBeLessThanOrEqual(share);
  expect(control.share).toBeGreaterThan(0);

  // It says that it computes on the CPU, and the driver does not know better.
  use.take({ name: 'worker-connected', attempt: 3, pid: 1, adopted: false, backend: 'tfjs-wasm' });
  await hot(84, () => shares.at(-1) === 0);
  expect(use.known('GPU-a')).toBe('elsewhere');
});
