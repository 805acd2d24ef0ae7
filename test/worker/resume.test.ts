/** Resumed equals uninterrupted: weights, momentum, history and random states, bit for bit. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { launchTrainer } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';

interface Undisturbed {
  readonly digest: string;
  readonly done: string;
}

const known = new Map<string, Promise<Undisturbed>>();

/** Digest and last line of a run that nothing disturbs; made once for each way to call it. */
function undisturbed(args: readonly (string | number)[] = []): Promise<Undisturbed> {
  const key = args.join(' ');
  const made = known.get(key) ?? undisturbedRun(args);
  known.set(key, made);
  return made;
}

async function undisturbedRun(args: readonly (string | number)[]): Promise<Undisturbed> {
  const supervisor = await new ScriptedSupervisor().live();
  const trainer = launchTrainer(args, supervisor.environment());
  expect(await trainer.ended).toEqual({ code: 0, signal: null });
  const done = trainer.stdout.trim().split('\n').at(-1) ?? '';
  await supervisor.die();
  return { digest: await supervisor.finalDigest(), done };
}

test('kill -9 again and again, resumed each time: the same tensors, history, kept objects and random numbers', async () => {
  const expected = await undisturbed();
  const supervisor = await new ScriptedSupervisor({ everySteps: 1 }).live();
  const once = temporaryDirectory();
  const kills = [9, 20, 21, 33, 59];
  for (const step of kills) {
    const flags = ['--save-at-step', step - 1, '--kill-at-step', step, '--once', join(once, String(step))];
    const trainer = launchTrainer(flags, supervisor.environment());
    expect((await trainer.ended).signal).toBe('SIGKILL');
  }
  const last = launchTrainer([], supervisor.environment());
  expect(await last.ended).toEqual({ code: 0, signal: null });
  expect(last.stdout).toContain('resumed');
  expect(last.stdout.trim().split('\n').at(-1)).toBe(expected.done);
  expect(await supervisor.finalDigest()).toBe(expected.digest);
  const resumedAt = supervisor.of('restored').map(({ step }) => step);
  expect(resumedAt).toHaveLength(kills.length + 1);
  for (const [index, step] of kills.entries()) expect(resumedAt[index + 1]).toBeGreaterThanOrEqual(step - 1);
});

test.each([1, 20, 33, 59])('stopped at step %i, which is saved, and taken up at the next', async (step) => {
  const expected = await undisturbed();
  const supervisor = await new ScriptedSupervisor().live();
  const flags = ['--save-at-step', step, '--exit-at-step', step, '--exit-code', 9];
  const first = launchTrainer([...flags, '--once', join(temporaryDirectory(), 'once')], supervisor.environment());
  expect((await first.ended).code).toBe(9);
  const second = launchTrainer([], supervisor.environment());
  expect((await second.ended).code).toBe(0);
  const [, restored] = supervisor.of('restored');
  expect(restored).toMatchObject({ step, epoch: Math.floor(Math.max(0, step - 1) / 20) });
  expect(await supervisor.finalDigest()).toBe(expected.digest);
  expect(second.stdout.trim().split('\n').at(-1)).toBe(expected.done);
});

test('a checkpoint that is damaged when it is loaded is unusable; the next that is named is loaded', async () => {
  const { truncate } = await import('node:fs/promises');
  const expected = await undisturbed();
  const supervisor = await new ScriptedSupervisor({ everySteps: 10 }).live();
  const first = launchTrainer(
    // A periodic save alone may be left out at the last step, where the disk still has the one before it.
    ['--save-at-step', 30, '--exit-at-step', 30, '--step-ms', 20, '--once', join(temporaryDirectory(), 'once')],
    supervisor.environment(),
  );
  expect((await first.ended).code).toBe(1);
  const newest = await supervisor.choose();
  expect(newest?.step).toBe(30);
  supervisor.resume = newest;
  await truncate(join(newest?.path ?? '', 'tensors.safetensors'), 100);
  const second = launchTrainer([], supervisor.environment());
  const unusable = await supervisor.heard('unusable');
  expect(unusable).toMatchObject({ sequence: newest?.sequence, path: newest?.path });
  const older = await supervisor.choose();
  expect(older?.step).toBeLessThan(30);
  supervisor.send({ v: 1, type: 'resume', resume: older });
  expect((await second.ended).code).toBe(0);
  expect(supervisor.of('restored').at(-1)?.sequence).toBe(older?.sequence);
  expect(await supervisor.finalDigest()).toBe(expected.digest);
});

test('when nothing can be loaded the worker leaves the decision to the supervisor: exit 75', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  supervisor.resume = { sequence: 1, path: join(supervisor.layout.directory, 'checkpoint_gone'), step: 5, epoch: 0 };
  const trainer = launchTrainer([], supervisor.environment());
  await supervisor.heard('unusable');
  supervisor.send({ v: 1, type: 'resume', resume: null });
  expect((await trainer.ended).code).toBe(75);
});

test('data of another length: refused in the middle of an epoch', async () => {
  const supervisor = await new ScriptedSupervisor({ everySteps: 7 }).live();
  const once = join(temporaryDirectory(), 'once');
  await launchTrainer(['--exit-at-step', 7, '--once', once], supervisor.environment()).ended;
  const second = launchTrainer(['--steps-per-epoch', 21], supervisor.environment());
  expect((await second.ended).code).toBe(78);
  expect(second.stderr).toContain('336 samples instead of 320');
});

test('a completed run goes on when it is given more epochs', async () => {
  const expected = await undisturbed(['--epochs', 5]);
  const supervisor = await new ScriptedSupervisor().live();
  expect((await launchTrainer(['--epochs', 2], supervisor.environment()).ended).code).toBe(0);
  expect((await launchTrainer(['--epochs', 5], supervisor.environment()).ended).code).toBe(0);
  const finals = (await supervisor.manifests()).filter(({ kinds }) => kinds.includes('final'));
  expect(finals.find(({ epoch }) => epoch === 5)?.tensorsDigest).toBe(expected.digest);
});
