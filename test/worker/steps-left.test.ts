/** Epochs of a loop that makes its steps without batches: taken up at the right step, or told. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Position } from '../../src/worker/position.ts';
import { stepsLeftOf } from '../../src/worker/steps-left.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { launchTrainer, type TrainerProcess } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';

/** Trains until `stopAt` steps in all; with the SDK's steps, or with steps of its own. */
function train(position: Position, stepsPerEpoch: number, stopAt = Number.POSITIVE_INFINITY): string[] {
  const seen: string[] = [];
  position.countsSteps(stepsPerEpoch);
  while (position.epoch < 3) {
    const steps = stepsLeftOf(stepsPerEpoch, {
      begin: (facts) => position.beginPass(facts),
      yielded: (made) => position.yielded(made),
      ended: () => undefined,
      made: () => position.step,
    });
    for (const step of steps) {
      if (position.step === stopAt) return seen;
      seen.push(`${position.epoch}/${step}`);
      position.stepMade();
    }
    position.epochMade();
  }
  return seen;
}

function resumedFrom(position: Position): Position {
  const resumed = new Position();
  resumed.putBack(JSON.parse(JSON.stringify(position.state())) as ReturnType<Position['state']>);
  return resumed;
}

test('resumed at any step, no step comes twice and none is left out', () => {
  const uninterrupted = train(new Position(), 4);
  expect(uninterrupted).toHaveLength(12);
  for (let at = 0; at <= uninterrupted.length; at++) {
    const first = new Position();
    const before = train(first, 4, at);
    expect([...before, ...train(resumedFrom(first), 4)], `stopped at ${at}`).toEqual(uninterrupted);
  }
});

test('a checkpoint of a loop that did not count goes on where it was, once the loop counts', () => {
  const own = new Position();
  for (let step = 0; step < 3; step++) own.stepMade();
  expect(train(resumedFrom(own), 4).slice(0, 2)).toEqual(['0/3', '1/0']);
  expect(() => train(resumedFrom(own), 2)).toThrow('2 steps an epoch instead of 3');
  own.epochMade();
  expect(train(resumedFrom(own), 4)[0]).toBe('1/0');
});

test('two steps in one round are refused: taken up between them, one would be lost; a round without one gathers gradients', () => {
  const rounds = (steps: readonly number[]): void => {
    const position = new Position();
    position.countsSteps(steps.length);
    const left = stepsLeftOf(steps.length, {
      begin: (facts) => position.beginPass(facts),
      yielded: (made) => position.yielded(made),
      ended: () => undefined,
      made: () => position.step,
    });
    for (const at of left) for (let made = 0; made < (steps[at] ?? 0); made++) position.stepMade();
  };
  rounds([1, 0, 0, 1]);
  expect(() => rounds([1, 2, 1])).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining('step 1') }),
  );
});

test('another number of steps is refused in the middle of an epoch, and told at its head', () => {
  const position = new Position();
  train(position, 4, 6);
  expect(() => train(resumedFrom(position), 5)).toThrow(
    expect.objectContaining({ code: 'state-mismatch', message: expect.stringContaining('5 steps an epoch instead') }),
  );
  const facts = { length: 5, size: 1, seed: null, drop: false, unit: 'step' } as const;
  const head = new Position();
  train(head, 4, 3);
  head.stepMade();
  head.epochMade();
  expect(resumedFrom(head).beginPass(facts)).toMatchObject({ sample: 0, differs: '5 steps an epoch instead of 4' });
});

/** A session that was killed at step 27, the 7th of its second epoch, saved two steps before. */
async function killedInMidEpoch(loop: string): Promise<ScriptedSupervisor> {
  const supervisor = await new ScriptedSupervisor().live();
  const flags = ['--loop', loop, '--save-at-step', 25, '--kill-at-step', 27];
  const trainer = launchTrainer([...flags, '--once', join(temporaryDirectory(), 'once')], supervisor.environment());
  expect((await trainer.ended).signal).toBe('SIGKILL');
  return supervisor;
}

async function goesOn(supervisor: ScriptedSupervisor, loop: string): Promise<TrainerProcess> {
  const trainer = launchTrainer(['--loop', loop], supervisor.environment());
  await trainer.ended;
  return trainer;
}

const notices = (supervisor: ScriptedSupervisor): string =>
  supervisor
    .of('notice')
    .map(({ message }) => message)
    .join('\n');

test('kill -9 in mid-epoch, and again: the end is that of a run that nothing disturbed', async () => {
  const calm = await new ScriptedSupervisor().live();
  const expected = await goesOn(calm, 'steps');
  const supervisor = await killedInMidEpoch('steps');
  const again = ['--loop', 'steps', '--save-at-step', 40, '--kill-at-step', 41];
  const second = launchTrainer([...again, '--once', join(temporaryDirectory(), 'once')], supervisor.environment());
  expect((await second.ended).signal).toBe('SIGKILL');
  const last = await goesOn(supervisor, 'steps');
  expect(last.stdout.trim().split('\n').at(-1)).toBe(expected.stdout.trim().split('\n').at(-1));
  expect(await supervisor.finalDigest()).toBe(await calm.finalDigest());
  expect(supervisor.of('restored').map(({ step }) => step)).toEqual([0, 25, 40]);
  expect(notices(supervisor)).toBe('');
});

test.each([
  ['steps', 'batches', 'its epochs go over run.batches() now'],
  ['batches', 'steps', 'counted in steps by run.stepsLeft() now'],
])('a checkpoint of %s from mid-epoch is refused by a trainer with %s', async (before, now, words) => {
  const supervisor = await killedInMidEpoch(before);
  const trainer = await goesOn(supervisor, now);
  expect((await trainer.ended).code).toBe(78);
  expect(trainer.stderr).toContain(words);
});

test.each([
  ['own', 'batches', '5 steps of this epoch were made before the checkpoint without run.batches()', 65],
  ['own', 'own', 'trained again from its head', 65],
  ['batches', 'own', 'trained again from its head', 65],
  ['own', 'steps', '', 60],
])('a checkpoint of %s from mid-epoch goes on with %s, and is told: %s', async (before, now, words, steps) => {
  const supervisor = await killedInMidEpoch(before);
  const trainer = await goesOn(supervisor, now);
  expect((await trainer.ended).code).toBe(0);
  if (words === '') expect(notices(supervisor)).toBe('');
  else expect(notices(supervisor)).toContain(words);
  expect(supervisor.of('done')[0]?.step).toBe(steps);
});

test('steps without their number, and twice in an epoch, are refused with what to do', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  const trainer = launchTrainer(['--loop', 'uncounted'], supervisor.environment());
  expect((await trainer.ended).code).toBe(1);
  expect(trainer.stderr).toContain('run.epochs(count, { stepsPerEpoch })');
  const twice = launchTrainer(['--loop', 'twice'], supervisor.environment());
  expect((await twice.ended).code).toBe(1);
  expect(twice.stderr).toContain('stepsLeft was called before in this epoch');
});
