/** A trainer that dies between two step boundaries is saved as it was at the last one, or says why not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { launchTrainer } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';
import { SDK, writeTrainer } from './rig/write-trainer.ts';

const NETWORK = fileURLToPath(new URL('../../fixtures/trainers/network.mjs', import.meta.url));

interface Final {
  readonly digest: string;
  /** Position, generators, kept objects. */
  readonly state: string;
}

async function trained(supervisor: ScriptedSupervisor, args: readonly (string | number)[]): Promise<number | null> {
  const worker = launchTrainer(args, supervisor.environment(), { script: NETWORK });
  return (await worker.ended).code;
}

async function finalOf(supervisor: ScriptedSupervisor): Promise<Final> {
  const final = (await supervisor.manifests()).find(({ kinds }) => kinds.includes('final'));
  if (final === undefined) throw new Error('there is no final checkpoint');
  const name = `checkpoint_${final.session}_${final.step}_${final.sequence}`;
  return {
    digest: final.tensorsDigest,
    state: readFileSync(join(supervisor.layout.directory, name, 'state.json'), 'utf8'),
  };
}

/** One undisturbed run serves all comparisons. */
let undisturbed: Promise<Final> | null = null;

async function withoutDisturbance(): Promise<Final> {
  const supervisor = await new ScriptedSupervisor().live();
  expect(await trained(supervisor, [])).toBe(0);
  return finalOf(supervisor);
}

describe('resumed from the emergency save, the run ends as an undisturbed one', () => {
  // How it fails, the step it is saved at, its words, its exit code.
  test.each([
    ['drawn', 6, 5, 'Error: boom drawn', 1],
    ['reject', 6, 5, 'Error: boom reject', 1],
    ['timer', 6, 5, 'Error: boom timer', 1],
    ['exit', 6, 5, 'exit code 3', 3],
    ['between', 6, 6, 'Error: boom between', 1],
    ['evaluation', 8, 8, 'Error: boom evaluation', 1],
  ] as const)('%s', async (how, at, step, reason, code) => {
    const supervisor = await new ScriptedSupervisor({ everySteps: 3 }).live();
    const once = join(temporaryDirectory(), 'once');
    expect(await trained(supervisor, ['--fail', how, '--at-step', at, '--once', once])).toBe(code);
    const emergency = (await supervisor.manifests()).find(({ kinds }) => kinds.includes('emergency'));
    expect(emergency).toMatchObject({ step, reason });
    expect(Object.keys(emergency?.memory ?? {})).toEqual(
      expect.arrayContaining(['heapUsedBytes', 'hostFreeBytes', 'processRssBytes', 'tfjsBytes', 'tfjsTensors']),
    );
    expect((await supervisor.choose())?.step).toBe(step);
    expect(await trained(supervisor, [])).toBe(0);
    undisturbed ??= withoutDisturbance();
    expect(await finalOf(supervisor)).toEqual(await undisturbed);
  });
});

test('weights were assigned since: nothing is saved, and that is said', async () => {
  const supervisor = await new ScriptedSupervisor({ everySteps: 3 }).live();
  expect(await trained(supervisor, ['--fail', 'assigned', '--at-step', 6])).toBe(1);
  expect((await supervisor.manifests()).some(({ kinds }) => kinds.includes('emergency'))).toBe(false);
  const said = supervisor.of('notice').find(({ message }) => message.includes('No emergency save'));
  expect(said).toMatchObject({ level: 'warning', message: expect.stringContaining('changed since step 5') });
});

/** A trainer of arrays, which are changed in place. */
function arraysTrainer(body: string): string {
  return writeTrainer(
    `import { arraysState, connect } from ${JSON.stringify(SDK)};
    const weights = new Float32Array(4);
    const run = await connect();
    const kept = run.keep('kept', { seen: 0 });
    await run.restore(arraysState({ weights }));
    ${body}`,
  );
}

async function ended(body: string): Promise<ScriptedSupervisor> {
  const supervisor = await new ScriptedSupervisor().live();
  const worker = launchTrainer([], supervisor.environment(), { script: arraysTrainer(body) });
  expect((await worker.ended).code).not.toBe(0);
  return supervisor;
}

const emergencies = async (supervisor: ScriptedSupervisor): Promise<number[]> =>
  (await supervisor.manifests()).filter(({ kinds }) => kinds.includes('emergency')).map(({ step }) => step);

test('a state that is changed in place: nobody can tell, so nothing is saved, and that is said', async () => {
  const supervisor = await ended(`await run.step(); weights[0] = 1; throw new Error('boom');`);
  expect(await emergencies(supervisor)).toEqual([]);
  expect(supervisor.of('notice').some(({ message }) => message.includes('in place'))).toBe(true);
});

test.each([
  ['null', 'null'],
  ["'plain words'", 'plain words'],
  ["Symbol('odd')", 'Symbol(odd)'],
  ['Object.create(null)', 'something that cannot be put into words was thrown'],
  ['new (class extends Error { get name() { throw 1; } })()', 'something that cannot be put into words was thrown'],
  ["Object.freeze(new Error('frozen'))", 'Error: frozen'],
])('whatever is thrown, the save is made: %s', async (thrown, reason) => {
  const supervisor = await ended(`run.on('stop', () => { throw Object.create(null); });
    await run.step();
    setTimeout(() => { throw ${thrown}; }, 0);
    await run.epochEnd({ loss: 1 });
    for (;;) await run.step();`);
  const manifests = await supervisor.manifests();
  expect(manifests.filter(({ kinds }) => kinds.includes('emergency')).map((manifest) => manifest.reason)).toEqual([
    reason,
  ]);
});

test('a state in place is saved when the throw comes while the trainer waits for the SDK', async () => {
  const supervisor = await ended(`weights[0] = 1; await run.step();
    setTimeout(() => { throw new Error('from a timer'); }, 0);
    await run.epochEnd({ loss: 1 });
    for (;;) await run.step();`);
  const steps = await emergencies(supervisor);
  expect(steps).toHaveLength(1);
});

test('after the loss diverged, before the first step and after the end nothing is saved', async () => {
  for (const body of [
    `await run.step(); await run.step({ loss: Number.NaN });`,
    `throw new Error('before the first step');`,
    `await run.step(); await run.complete(); throw new Error('after the end');`,
  ]) {
    const supervisor = await ended(body);
    expect(await emergencies(supervisor)).toEqual([]);
    expect(supervisor.of('notice').filter(({ message }) => message.includes('No emergency save'))).toEqual([]);
  }
});

test('an error that the trainer survives is not the reason of a later end', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const args = ['--survive', '--step-ms', 5, '--fail', 'exit', '--at-step', 7];
  const worker = launchTrainer(args, supervisor.environment(), { script: NETWORK });
  expect((await worker.ended).code).toBe(3);
  expect(worker.stdout).toContain('survived boom');
  const reasons = (await supervisor.manifests()).flatMap(({ kinds, reason }) =>
    kinds.includes('emergency') ? [reason] : [],
  );
  expect(reasons).toEqual(['exit code 3']);
});
