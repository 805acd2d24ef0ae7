/** Drills that launch the real trainer: beside a session that trains, with trainers that misbehave, cut short. */
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { encodeManifest, readManifest } from '../../src/checkpoint/manifest.ts';
import { treeOf } from '../rig/tree-of.ts';
import { drill, EVERY_SEVENTH, expectNothingLeft, FIXTURES, moody, sessionFolder, trained } from './drill-rig.ts';
import { COMMAND, testInWorld, type World } from './rig.ts';

testInWorld.concurrent(
  'beside a session that trains and rotates: it steps, repeats itself bit by bit, and changes nothing',
  async ({ world }) => {
    const line = ['--epochs', '500', '--steps', '20', '--step-ms', '15'];
    const run = world.run(moody(line), ['--save-every-steps', '10', '--keep', '1']);
    await run.event('checkpoint-verified', () => true, 3);
    const owners = readdirSync(join(sessionFolder(world), 'owners'));
    const { code, session } = await drill(world);
    expect(session.problems).toEqual([]);
    expect(code).toBe(0);
    expect(session).toMatchObject({ state: 'running', level: 'replay', ok: true });
    expect(session.rehearsal).toMatchObject({ outcome: 'done', backend: 'arrays', completed: false });
    expect(session.rehearsal?.reachedStep).toBe((session.chosen?.step ?? 0) + 1);
    expect(session.replay).toMatchObject({ outcome: 'exact', tensors: [], state: [] });
    expect(session.times.totalMs).toBeGreaterThan((session.times.restoreMs ?? 0) + (session.times.firstStepMs ?? 0));
    expectNothingLeft(world);
    // The run has not noticed: it is the same attempt under the same claim, moved nothing aside, and goes on and saves.
    const step = run.named('checkpoint-verified').at(-1)?.step ?? 0;
    await run.event('checkpoint-verified', (saved) => saved.step > step);
    expect(run.named('worker-ended')).toEqual([]);
    expect(readdirSync(join(sessionFolder(world), 'owners'))).toEqual(owners);
    expect(existsSync(join(sessionFolder(world), '.quarantine'))).toBe(false);
    run.signal('SIGINT');
    await run.ended(75);
  },
);

testInWorld.concurrent(
  'tfjs in mid-epoch, with Adam, a schedule, two averages by name and both generators, repeats itself',
  async ({ world }) => {
    const trainer = join(FIXTURES, 'network.mjs');
    await world
      .start(['run', '--json', '--save-every-steps', '3', '--async-save', 'off', trainer, '--epochs', '3', '--swa'])
      .ended(0);
    const { code, session } = await drill(world);
    expect(session.problems).toEqual([]);
    expect(code).toBe(0);
    const held = readFileSync(join(session.chosen?.path ?? '', 'manifest.json'), 'utf8');
    expect(held).toContain('"average/ema/model/0_Dense/kernel"');
    expect(held).toContain('"average/swa/model/0_Dense/kernel"');
    expect(session.replay).toMatchObject({ outcome: 'exact', deterministic: true });
    expect(session.checkpoints.every(({ checks }) => Object.values(checks).every((answer) => answer === true))).toBe(
      true,
    );
  },
);

testInWorld.concurrent(
  'a trainer that trains otherwise is told with tensors and differences; other times in the history are no failure',
  async ({ world }) => {
    await trained(world, { NKAT_TEST_MOOD: 'clock' });
    const before = treeOf(sessionFolder(world));
    const clock = await drill(world, [], { NKAT_TEST_MOOD: 'clock' });
    expect(clock.code).toBe(0);
    expect(clock.session.replay).toMatchObject({
      outcome: 'differs',
      tensors: [{ name: 'history/step/at', isHistory: true }],
    });
    expect(clock.session.warnings.join()).toContain('what is trained is equal bit by bit');
    const drift = await drill(world, ['--level', 'replay'], { NKAT_TEST_MOOD: 'drift' });
    expect(drift.code).toBe(65);
    expect(drift.session.replay?.outcome).toBe('differs');
    const weights = drift.session.replay?.tensors.find(({ name }) => name === 'weights');
    expect(weights?.largestAbsolute).toBeGreaterThan(0.1);
    expect(weights?.largestRelative).toBeGreaterThan(0.01);
    expect(drift.session.problems[0]).toContain('is not exact');
    expect(treeOf(sessionFolder(world)).filter((text) => !text.includes('.pins'))).toEqual(before);
  },
);

/** What is said where the limit is met depends on how fast this machine is: see test/drill/rehearsal-story.test.ts. */
const MISBEHAVING: readonly (readonly [mood: string, reason: RegExp, ...limit: string[]])[] = [
  ['throw', /ended with exit code 1 in its step.*out of order in a rehearsal/],
  ['quit', /ended with exit code 0 before it connected/],
  ['ignore', /within 5 s/, '--timeout', '5s'],
  ['hang', /within 5 s/, '--timeout', '5s'],
  ['block', /within 5 s/, '--timeout', '5s'],
];

testInWorld.concurrent(
  'trainers that throw, leave, hang, block or ignore the drill are ended, named and leave nothing',
  async ({ world }) => {
    await trained(world);
    // Drills of one state home wait for one another; these share the session only.
    const drills = MISBEHAVING.map(async ([mood, reason, ...limit]) => {
      const home = join(world.directory, `home-${mood}`);
      cpSync(world.home, home, { recursive: true });
      const environment = { NKAT_TEST_MOOD: mood, NKAT_HOME: home };
      const { code, session } = await drill(world, ['--level', '3', ...limit], environment);
      expect([mood, code, session.ok]).toEqual([mood, 65, false]);
      expect(session.rehearsal?.reason).toMatch(reason);
      expect(readdirSync(join(home, 'drills'))).toEqual(['owners']);
    });
    await Promise.all(drills);
    expect(world.processes()).toEqual([]);
    expectNothingLeft(world, false);
  },
);

function trainerStarted(world: World): boolean {
  const drills = join(world.home, 'drills');
  if (!existsSync(drills)) return false;
  const scratch = readdirSync(drills).find((name) => name.startsWith('scratch-'));
  return scratch !== undefined && existsSync(join(drills, scratch, 'attempt-1.pid'));
}

testInWorld.concurrent(
  'Ctrl-C in mid-drill leaves nothing; after SIGKILL the trainer ends by itself and the next drill cleans up',
  async ({ world }) => {
    await trained(world);
    const stopped = world.start(['drill', '--level', '3'], COMMAND, { NKAT_TEST_MOOD: 'block' });
    await world.until(() => trainerStarted(world));
    stopped.signal('SIGINT');
    await stopped.ended(130);
    expectNothingLeft(world);
    expect(world.processes()).toEqual([]);
    const killed = world.start(['drill', '--level', '3'], COMMAND, { NKAT_TEST_MOOD: 'hang' });
    await world.until(() => trainerStarted(world));
    killed.signal('SIGKILL');
    await killed.exited;
    expect(readdirSync(join(world.home, 'drills')).length).toBe(2);
    await world.until(() => world.processes().length === 0);
    const { code } = await drill(world, ['--level', '3']);
    expect(code).toBe(0);
    expectNothingLeft(world);
  },
);

testInWorld.concurrent(
  'processes of a killed drill whose trainer knows of no drills are ended by the next one',
  async ({ world }) => {
    await trained(world);
    const killed = world.start(['drill', '--level', '3'], COMMAND, { NKAT_TEST_MOOD: 'ignore' });
    await world.until(() => trainerStarted(world));
    killed.signal('SIGKILL');
    await killed.exited;
    expect(world.processes().length).toBeGreaterThan(0);
    expect((await drill(world, ['--level', '1'])).code).toBe(0);
    expect(world.processes()).toEqual([]);
    expectNothingLeft(world);
  },
);

testInWorld.concurrent(
  'a trainer whose source changed, and a checkpoint of another device, are said and not failed for',
  async ({ world }) => {
    for (const name of ['moody.mjs', 'softmax.mjs']) copyFileSync(join(FIXTURES, name), join(world.directory, name));
    const trainer = join(world.directory, 'moody.mjs');
    await world.start(['run', '--json', ...EVERY_SEVENTH, trainer]).ended(0);
    const folder = sessionFolder(world);
    const newest = readdirSync(folder).find((name) => /^checkpoint_.*_20_\d+$/.test(name));
    const path = join(folder, newest ?? 'none', 'manifest.json');
    const read = readManifest(readFileSync(path));
    if (read.status !== 'ok') throw new Error('no manifest');
    const { digest: _, ...manifest } = read.manifest;
    writeFileSync(path, encodeManifest({ ...manifest, gpu: 'NVIDIA A100', backend: 'tfjs-node-gpu' }).text);
    const moved = await drill(world);
    expect(moved.code).toBe(0);
    // Which CPU, where that has a name.
    expect(moved.session.warnings.join()).toMatch(
      /made on NVIDIA A100 \(tfjs-node-gpu\) and loaded on the CPU(?:, [^(]+)? \(arrays\)/,
    );
    expect(moved.session.replay).toMatchObject({ outcome: 'exact', deterministic: false });
    writeFileSync(trainer, readFileSync(trainer, 'utf8').replace('batch, 0.1', 'batch, 0.2'));
    const changed = await drill(world);
    expect(changed.code).toBe(0);
    expect(changed.session).toMatchObject({ trainerChanged: true, replay: { outcome: 'differs' } });
    expect(changed.session.warnings.join()).toContain("the trainer's source changed since");
  },
);
