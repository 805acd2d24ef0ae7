/** The watch over the cards of a run, beside the processes of nvidia-smi that it starts. */
import { expect, it } from 'vitest';
import { smiCommand } from '../../src/gpu/smi-command.ts';
import { CardControl } from '../../src/supervisor/card-control.ts';
import { CardUse } from '../../src/supervisor/card-use.ts';
import { CardWatch } from '../../src/supervisor/card-watch.ts';
import type { SupervisorEvent } from '../../src/supervisor/events.ts';
import { FakeSmi, type Scene } from '../rig/fake-smi.ts';
import { atTestEnd } from '../rig/test-end.ts';
import { waitFor } from '../rig/wait-for.ts';

function watchWith(environment: NodeJS.ProcessEnv): { watch: CardWatch; told: SupervisorEvent[] } {
  const told: SupervisorEvent[] = [];
  const tell = (event: SupervisorEvent): void => void told.push(event);
  const nowMs = (): number => performance.now();
  const own = (): ReadonlySet<number> => new Set();
  const use = new CardUse({ smi: smiCommand(environment), nowMs, own, namesOurPids: () => true });
  const control = new CardControl({ profile: null, tell, nowMs, use });
  const watch = new CardWatch({ environment, tell, nowMs, control });
  atTestEnd(() => watch.close());
  return { watch, told };
}

async function watchScene(scene: Scene, environment: NodeJS.ProcessEnv): Promise<{ watch: CardWatch; fake: FakeSmi }> {
  const fake = await FakeSmi.start(scene);
  const { watch } = watchWith({ ...process.env, ...fake.environment, ...environment });
  return { watch, fake };
}

it.concurrent('finds the card of a MIG instance that the worker is given', async () => {
  const cards = [{ model: 'rtx3080' }, { model: 'h100mig' }];
  const environment = { CUDA_VISIBLE_DEVICES: 'MIG-00000001-5555-6666-7777-888888888881' };
  const { watch, fake } = await watchScene({ cards }, environment);
  await waitFor('the card of the instance', () => watch.now().length > 0);
  expect(watch.now()).toEqual([{ index: 1, temperatureC: 54, utilizationPercent: null }]);
  expect(fake.calls.filter(({ args }) => args.includes('-L'))).toHaveLength(1);
});

it.concurrent('asks for instances only where one is named', async () => {
  const { watch, fake } = await watchScene({ cards: [{ model: 'h100mig' }] }, { CUDA_VISIBLE_DEVICES: '0' });
  await waitFor('the card', () => watch.now().length > 0);
  // Which was asked before this is answered, and after the first row.
  await waitFor('the limits of the card', () => fake.calls.some(({ args }) => args.includes('-x')));
  expect(fake.calls.filter(({ args }) => args.includes('-L'))).toEqual([]);
});

it.concurrent('says once that there is no nvidia-smi, as no warning, and watches nothing', async () => {
  const { watch, told } = watchWith({ ...process.env, NKAT_NVIDIA_SMI: '/nowhere/nvidia-smi' });
  await waitFor('the word', () => told.length > 0);
  expect(told).toEqual([{ name: 'cards-absent', message: expect.stringContaining('/nowhere/nvidia-smi') }]);
  expect(watch.isWatching).toBe(false);
});

it.concurrent('says once that there is no card, however often nvidia-smi repeats it', async () => {
  const fake = await FakeSmi.start({ cards: [] });
  const { told } = watchWith({ ...process.env, ...fake.environment });
  await waitFor('a second try', () => fake.calls.filter(({ args }) => args.includes('-lms')).length > 1);
  expect(told).toMatchObject([{ name: 'cards-absent' }]);
});
