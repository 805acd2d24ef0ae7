/** The SDK against a supervisor that does what the test says: real processes, real socket, real store. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { waitFor } from '../rig/wait-for.ts';
import { launchTrainer } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';

const FRAGILE = fileURLToPath(new URL('../../fixtures/trainers/fragile.mjs', import.meta.url));
const LONG = ['--epochs', 100_000, '--step-ms', 5];

test('the conversation of a whole run', async () => {
  const supervisor = await new ScriptedSupervisor({ everySteps: 20, best: { metric: 'accuracy', mode: 'max' } }).live();
  const trainer = launchTrainer([], supervisor.environment());
  expect(await trainer.ended).toEqual({ code: 0, signal: null });
  const [hello] = supervisor.of('hello');
  expect(hello).toMatchObject({
    role: 'worker',
    token: 'secret',
    attempt: 1,
    pid: trainer.pid,
    welcomed: false,
    claim: null,
    step: 0,
  });
  expect(supervisor.of('restored')[0]).toMatchObject({ sequence: null, step: 0, epoch: 0, backend: 'arrays' });
  const [done] = supervisor.of('done');
  const final = supervisor.of('saved').filter(({ kinds }) => kinds.includes('final'));
  expect(final.map(({ state }) => state)).toEqual(['durable', 'verified']);
  expect(done).toMatchObject({ step: 60, epoch: 3, sequence: final[0]?.sequence });
  // Done is said once the final checkpoint is verified, not before.
  const verified = supervisor.messages.findLastIndex(
    (message) => message.type === 'saved' && message.state === 'verified',
  );
  expect(supervisor.messages.findIndex(({ type }) => type === 'done')).toBeGreaterThan(verified);
  const best = supervisor.of('saved').find(({ kinds }) => kinds.includes('best'));
  expect(best?.metrics.accuracy).toBeGreaterThan(0);
  expect(new Set(supervisor.of('phase').map(({ phase }) => phase))).toEqual(new Set(['train', 'eval', 'save']));
  const manifests = await supervisor.manifests();
  expect(manifests.map(({ sequence, tensorsDigest }) => ({ sequence, tensorsDigest }))).toContainEqual({
    sequence: final[0]?.sequence,
    tensorsDigest: final[0]?.digest,
  });
  expect(manifests.find(({ kinds }) => kinds.includes('final'))?.parent).not.toBeNull();
});

test('a welcome that is withheld keeps the worker waiting', async () => {
  const supervisor = new ScriptedSupervisor();
  supervisor.welcomes = false;
  await supervisor.live();
  const trainer = launchTrainer([], supervisor.environment());
  await supervisor.heard('hello');
  expect(trainer.stdout).toBe('');
  expect(trainer.running).toBe(true);
  await supervisor.die();
  // Never welcomed, and the channel closes: the supervisor that launched it is gone.
  expect((await trainer.ended).code).toBe(75);
});

test('a worker that cannot reach any supervisor gives up', async () => {
  const trainer = launchTrainer([], new ScriptedSupervisor().environment());
  expect((await trainer.ended).code).toBe(75);
  expect(trainer.stderr).toContain('cannot be reached');
});

test('a refused worker ends: fenced with 73', async () => {
  const supervisor = new ScriptedSupervisor();
  supervisor.welcomes = false;
  await supervisor.live();
  const trainer = launchTrainer([], supervisor.environment());
  await supervisor.heard('hello');
  supervisor.send({ v: 1, type: 'refused', code: 'fenced', message: 'another worker trains' });
  expect((await trainer.ended).code).toBe(73);
  expect(trainer.stderr).toContain('another worker trains');
});

test('a save is acknowledged while the main thread is blocked, and made at the next step with kinds and reason', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  launchTrainer(['--epochs', 100_000, '--block-ms', 8000], supervisor.environment());
  const blocked = await supervisor.heard('progress', ({ step, lastStepAgeMs }) => step >= 1 && lastStepAgeMs > 700);
  supervisor.save('r1', ['manual', 'before-exam'], 'because');
  const acknowledged = await supervisor.heard('acknowledged', ({ request }) => request === 'r1');
  // Still in the step in which it was blocked: the thread answered, not the loop.
  expect(acknowledged.lastStepAgeMs).toBeGreaterThanOrEqual(blocked.lastStepAgeMs);
  expect(supervisor.of('save-started')).toEqual([]);
  const started = await supervisor.heard('save-started');
  expect(started.step).toBe(blocked.step + 1);
  const durable = await supervisor.heard('saved', ({ state }) => state === 'durable');
  expect(durable).toMatchObject({
    request: 'r1',
    kinds: ['manual', 'before-exam'],
    reason: 'because',
    step: started.step,
  });
  await supervisor.heard('saved', ({ state, request }) => state === 'verified' && request === 'r1');
});

test('a blocked loop makes no beats, but the thread reports on, with the age growing', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  launchTrainer(['--block-ms', 60_000], supervisor.environment());
  await supervisor.heard('progress', ({ lastStepAgeMs }) => lastStepAgeMs > 2_500);
  const ages = supervisor
    .of('progress')
    .filter(({ phase }) => phase === 'train')
    .map(({ lastStepAgeMs }) => lastStepAgeMs);
  expect(ages.length).toBeGreaterThanOrEqual(2);
  expect(ages).toEqual(ages.toSorted((a, b) => a - b));
  expect(supervisor.of('progress').every(({ step }) => step === 0)).toBe(true);
});

test('stop: emergency save with reason, acknowledged, verified, exit 75; resumed at the next step', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const trainer = launchTrainer(LONG, supervisor.environment());
  await supervisor.heard('progress', ({ step }) => step > 5);
  supervisor.stop('s1', 'Ctrl-C');
  await supervisor.heard('acknowledged', ({ request }) => request === 's1');
  expect((await trainer.ended).code).toBe(75);
  const states = supervisor.of('saved').filter(({ request }) => request === 's1');
  expect(states.map(({ state, kinds, reason }) => ({ state, kinds, reason }))).toEqual([
    { state: 'durable', kinds: ['emergency'], reason: 'Ctrl-C' },
    { state: 'verified', kinds: ['emergency'], reason: 'Ctrl-C' },
  ]);
  const again = launchTrainer(LONG, supervisor.environment());
  const restored = await supervisor.heard('restored', ({ sequence }) => sequence !== null);
  expect(restored.step).toBe(states[0]?.step);
  again.child.kill('SIGKILL');
});

test('pause: no step until continue; saves are served meanwhile', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const trainer = launchTrainer(LONG, supervisor.environment());
  await supervisor.heard('progress', ({ step }) => step > 5);
  supervisor.send({ v: 1, type: 'pause', reason: 'too warm' });
  const still = await waitFor('two reports at the same step', () => {
    const [before, last] = supervisor.of('progress').slice(-2);
    return before !== undefined && before.step === last?.step && last.lastStepAgeMs > 400 ? last.step : null;
  });
  supervisor.save('p1');
  const saved = await supervisor.heard('saved', ({ request }) => request === 'p1');
  expect(saved.step).toBe(still);
  expect(trainer.running).toBe(true);
  supervisor.send({ v: 1, type: 'continue' });
  await supervisor.heard('progress', ({ step }) => step > still + 5);
});

test('the supervisor dies: training and saving go on; its successor with a higher claim adopts the worker', async () => {
  const supervisor = await new ScriptedSupervisor({ everySteps: 10 }).live();
  const trainer = launchTrainer(LONG, supervisor.environment());
  await supervisor.heard('saved');
  await supervisor.die();
  const sequences = async () => (await supervisor.manifests()).map(({ sequence }) => sequence);
  const before = Math.max(...(await sequences()));
  // One may just be on its way to a supervisor that is no more: that is found in the store alone.
  const unheard = await waitFor('saves without a supervisor', async () => {
    const later = (await sequences()).filter((sequence) => sequence > before + 1);
    return later.length > 1 ? later : null;
  });
  await supervisor.live();
  const hello = await waitFor('hello again', () => supervisor.of('hello')[1]);
  expect(hello).toMatchObject({ welcomed: true, claim: 1, attempt: 1, pid: trainer.pid });
  expect(hello.lastSaved).toBeGreaterThan(1);
  // Saves of the time between are told late rather than never.
  for (const sequence of unheard) await supervisor.heard('saved', (saved) => saved.sequence === sequence);
  await waitFor('a commit under the new claim', async () =>
    (await supervisor.manifests()).some(({ claim }) => claim === 2),
  );
  expect(trainer.running).toBe(true);
});

test('a commit that a newer claim refuses is kept, and goes through when the welcome brings that claim', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  launchTrainer(LONG, supervisor.environment());
  await supervisor.heard('progress', ({ step }) => step > 2);
  await supervisor.takeClaim();
  supervisor.save('f1');
  await supervisor.heard('notice', ({ message }) => message.includes('newer claim'));
  expect(supervisor.of('saved').filter(({ request }) => request === 'f1')).toEqual([]);
  await supervisor.die();
  await supervisor.live();
  const saved = await supervisor.heard('saved', ({ request, state }) => request === 'f1' && state === 'verified');
  const manifest = (await supervisor.manifests()).find(({ sequence }) => sequence === saved.sequence);
  expect(manifest?.claim).toBe(3);
});

test('a loss that is no number: reported, nothing saved at or after that step, the process fails', async () => {
  const supervisor = await new ScriptedSupervisor({ everySteps: 1 }).live();
  const trainer = launchTrainer(['--nan-at-step', 12], supervisor.environment());
  expect((await trainer.ended).code).toBe(1);
  expect(supervisor.of('diverged')).toEqual([{ v: 1, type: 'diverged', step: 12, loss: 'NaN', adapts: false }]);
  expect(trainer.stderr).toContain('the loss is NaN at step 12');
  expect(Math.max(...(await supervisor.manifests()).map(({ step }) => step))).toBeLessThan(12);
});

test.each([
  ['a trainer that adapts', ['--nan-at', 99], 0.5],
  ['one that does not, whatever an earlier version of it declared', [], 1],
] as const)('the scale of the learning rate is for who says that it adapts: %s', async (_, args, scale) => {
  const supervisor = new ScriptedSupervisor();
  supervisor.learningRateScale = 0.5;
  await supervisor.live();
  const trainer = launchTrainer(['--steps', 1, ...args], supervisor.environment(), { script: FRAGILE });
  expect((await trainer.ended).code).toBe(0);
  expect(trainer.stdout).toContain(`scale ${scale} from 0`);
});

test('several requests at one boundary are one commit, and each is answered', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const go = join(temporaryDirectory(), 'go');
  launchTrainer(['--hold-at', 3, '--hold', go], supervisor.environment());
  await supervisor.heard('progress', ({ step }) => step === 2);
  supervisor.save('a', ['manual']);
  supervisor.save('b', ['before-exam']);
  for (const name of ['a', 'b']) await supervisor.heard('acknowledged', ({ request }) => request === name);
  writeFileSync(go, '');
  const a = await supervisor.heard('saved', ({ request, state }) => request === 'a' && state === 'verified');
  const b = await supervisor.heard('saved', ({ request, state }) => request === 'b' && state === 'verified');
  expect(a.sequence).toBe(b.sequence);
  expect(a.kinds).toEqual(['manual', 'before-exam']);
});

test('periodic saves that meet one in flight are passed over and counted', async () => {
  const supervisor = await new ScriptedSupervisor({ everySteps: 1 }).live();
  launchTrainer(['--epochs', 100_000, '--step-ms', 1, '--size-mib', 16, '--tensors', 64], supervisor.environment());
  await supervisor.heard('progress', ({ skippedSaves }) => skippedSaves > 3);
  expect(supervisor.of('saved').every(({ kinds }) => kinds.join() === 'auto' || kinds.includes('best'))).toBe(true);
});

test('an emergency supersedes a periodic save of an earlier step that is still being read', async () => {
  const supervisor = await new ScriptedSupervisor({ everySteps: 2 }).live();
  // To read one tensor takes longer than a step may give: one a step, so the periodic save is read for 10 steps of 500 ms.
  launchTrainer(['--epochs', 100_000, '--step-ms', 500, '--size-mib', 400, '--tensors', 10], supervisor.environment());
  const { step: begun } = await supervisor.heard('save-started', ({ kinds }) => kinds.includes('auto'));
  // At its own boundary an emergency would join it instead.
  await supervisor.heard('progress', ({ step }) => step > begun);
  supervisor.save('e1', ['emergency'], 'UPS');
  const saved = await supervisor.heard('saved', ({ request }) => request === 'e1');
  const failed = supervisor.of('save-failed').find(({ code }) => code === 'superseded');
  expect(failed).toMatchObject({ kinds: ['auto'], request: null });
  expect(failed?.step).toBeLessThan(saved.step);
});
