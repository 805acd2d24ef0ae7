/** Levels 1 and 2 on real checkpoints: each integrity point says no to what is wrong in it, and to nothing else. */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { readSessionFile, writeSessionFile } from '../../src/checkpoint/session-file.ts';
import { Cleanup } from '../../src/drill/cleanup.ts';
import { drillSession } from '../../src/drill/drill-session.ts';
import type { DrilledSession } from '../../src/drill/drilled-session.ts';
import { lockDrills } from '../../src/drill/lock.ts';
import type { Checks, DrillReport, SessionDrill } from '../../src/drill/types.ts';
import { treeOf } from '../rig/tree-of.ts';
import { ADAM, adamState, checkpointOf, DrilledWorld, flipLastByte, folderOf, MODEL } from './drilled-world.ts';

const A = '20261122_120000_aaaa';
const B = '20261122_130000_bbbb';
const ALL_GOOD: Checks = {
  exists: true,
  loadable: true,
  model: true,
  optimizer: true,
  structure: true,
  finite: true,
  compatible: true,
};

test('whole checkpoints: every point is yes, exit 0, what a crash would lose, and nothing is left behind', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [{ step: 10 }, { step: 20 }, { step: 30 }]);
  const before = treeOf(layout.directory);
  const { code, report, session } = await world.drill();
  expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true });
  expect(session).toMatchObject({ session: A, state: 'interrupted', level: 2, ok: true, stepsLost: 10, problems: [] });
  expect(session.checkpoints.map(({ sequence, checks }) => [sequence, checks])).toEqual([
    [3, ALL_GOOD],
    [2, ALL_GOOD],
    [1, ALL_GOOD],
  ]);
  expect(session.chosen).toMatchObject({ sequence: 3, step: 30 });
  expect(session.times.totalMs).toBeGreaterThan(0);
  expect(readdirSync(join(layout.directory, '.pins'))).toEqual([]);
  expect(treeOf(layout.directory).filter((text) => !text.includes('.pins'))).toEqual(before);
  const words = await world.cli(['drill', '--level', '1', 'latest']);
  expect(words.code).toBe(0);
  expect(words.stdout).toContain('Good: a crash now would go on from checkpoint 3 (epoch 3, step 30); 10 steps');
  expect(words.stdout).toContain('Looking, without a launch, took ');
  expect(words.stdout).toMatch(/ 3 +30 +auto +yes +yes +- +- /);
});

test('a damaged newest: named, not loadable, the one before it is chosen, nothing is moved, exit 65', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [{ step: 10 }, { step: 20 }]);
  const file = join(folderOf(layout, 2), 'tensors.safetensors');
  flipLastByte(file, statSync(file).size);
  const { code, session } = await world.drill();
  expect(code).toBe(65);
  expect(session).toMatchObject({ ok: false, chosen: { sequence: 1 }, stepsLost: 30 });
  expect(checkpointOf(session, 2).checks).toMatchObject({ exists: true, loadable: false, finite: null });
  expect(session.problems).toEqual([expect.stringContaining('checkpoint 2: tensors.safetensors: chunk 0')]);
  expect(checkpointOf(session, 1).ok).toBe(true);
  expect(existsSync(folderOf(layout, 2))).toBe(true);
  const words = await world.cli(['drill', '--level', '2']);
  expect(words.stdout).toContain('NOT GOOD, see above. A crash now would go on from checkpoint 1');
});

test('the only checkpoint, damaged in a copy: nothing would be left, exit 65, and the original is as it was', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [{ step: 10 }]);
  const before = treeOf(layout.directory);
  const { stdout, code } = await world.cli(['drill', '--json', '--inject', 'corrupt-newest,kill']);
  const { sessions } = JSON.parse(stdout) as DrillReport;
  expect(code).toBe(65);
  expect(sessions[0]?.injected).toMatchObject([{ name: 'corrupt-newest', ok: false }]);
  expect(sessions[0]?.problems).toContain('corrupt-newest: without checkpoint 1 nothing is left that verifies');
  expect(treeOf(layout.directory).filter((text) => !text.includes('.pins'))).toEqual(before);
  expect((await world.cli(['drill', '--inject', 'kill', '--level', 'replay'])).code).toBe(64);
});

test('a missing file, values that are no numbers, a state of a newer SDK: each says no at its own point', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [
    { step: 10 },
    { step: 20, first: Number.NaN },
    { step: 30, stateVersion: 9 },
    { step: 40 },
  ]);
  rmSync(join(folderOf(layout, 4), 'state.json'));
  const { code, session } = await world.drill();
  expect(code).toBe(65);
  expect(checkpointOf(session, 4).checks).toMatchObject({ exists: false, loadable: false });
  expect(checkpointOf(session, 3).checks).toEqual({ ...ALL_GOOD, compatible: false });
  expect(checkpointOf(session, 3).problems).toEqual(['its state is of version 9, made by a newer SDK']);
  expect(checkpointOf(session, 2).checks).toMatchObject({
    exists: true,
    loadable: true,
    structure: true,
    finite: false,
  });
  expect(checkpointOf(session, 1).checks).toEqual(ALL_GOOD);
});

test('a missing optimizer, a missing weight and another shape are told by state.json and by the other checkpoints', async () => {
  const world = new DrilledWorld();
  const other = [{ name: 'model/dense/kernel', dtype: 'F32', shape: [2, 4] } as const, ...MODEL.slice(1), ...ADAM];
  await world.add(A, [
    { step: 10 },
    { step: 20 },
    { step: 30, tensors: MODEL },
    { step: 40, tensors: [...MODEL.slice(1), ...ADAM] },
    { step: 50, tensors: other },
    { step: 60, tensors: ADAM },
    { step: 70, tensors: MODEL, state: { ...(adamState() as object), optimizers: {} } },
  ]);
  const { code, session } = await world.drill();
  expect(code).toBe(65);
  expect(checkpointOf(session, 3).checks).toEqual({ ...ALL_GOOD, optimizer: false });
  expect(checkpointOf(session, 3).problems[0]).toContain('the memory of optimizer (Adam) for model/dense/kernel');
  expect(checkpointOf(session, 4).checks).toEqual({ ...ALL_GOOD, structure: false });
  expect(checkpointOf(session, 5).problems).toEqual(['model/dense/kernel is F32[2, 4] instead of F32[4, 2]']);
  expect(checkpointOf(session, 6).checks).toMatchObject({ model: false, structure: false });
  expect(checkpointOf(session, 7)).toMatchObject({ ok: true, checks: { optimizer: false } });
  expect(checkpointOf(session, 7).warnings[0]).toContain('no optimizer');
  expect(checkpointOf(session, 1).ok && checkpointOf(session, 2).ok).toBe(true);
});

test('nothing that verifies, nothing yet, and an acknowledged checkpoint that is gone are not good', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [{ step: 10 }]);
  const file = join(folderOf(layout, 1), 'tensors.safetensors');
  flipLastByte(file, statSync(file).size);
  expect(await world.drill(A)).toMatchObject({ code: 65, session: { ok: false, chosen: null, stepsLost: 40 } });
  await world.add(B, []);
  const empty = await world.drill(B);
  expect(empty).toMatchObject({ code: 65, session: { problems: [expect.stringContaining('no checkpoint yet')] } });
  const C = '20261122_140000_cccc';
  const lost = await world.add(C, [{ step: 10 }, { step: 20 }]);
  const record = await readSessionFile(nodeFiles, lost.directory);
  if (record === null) throw new Error('no record');
  await writeSessionFile(nodeFiles, lost.directory, { ...record, lastCommit: { sequence: 2, step: 20 } });
  rmSync(folderOf(lost, 2), { recursive: true });
  const gone = await world.drill(C);
  expect(gone.session.problems).toEqual(['checkpoint 2, the newest that was reported as saved, is not there']);
  expect(gone.code).toBe(65);
  expect((await world.cli(['drill', 'nobody'])).code).toBe(66);
});

test('a folder that is not there is told as that, not as one without checkpoints: drill, verify and explain', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [{ step: 10 }]);
  await world.add(B, [{ step: 10 }]);
  renameSync(layout.directory, `${layout.directory}.away`);
  const { code, session } = await world.drill(A);
  expect(code).toBe(65);
  expect(session.problems).toEqual([expect.stringMatching(/^its folder is missing.*is the disk of .* mounted\?$/)]);
  const verified = await world.cli(['verify', '--all']);
  expect(verified).toMatchObject({ code: 74, stdout: expect.stringContaining('nothing could be checked') });
  expect(verified.stdout).toContain(`Session ${B}: 1 checkpoint checked`);
  expect(verified.stdout).not.toContain(`${A}: 0 checkpoints`);
  const explained = await world.cli(['explain', A]);
  expect(explained).toMatchObject({ code: 74, stderr: expect.stringContaining('its folder is missing') });
});

test('--all drills every session with checkpoints, and one bad session makes the exit code', async () => {
  const world = new DrilledWorld();
  await world.add(A, [{ step: 10 }]);
  const other = await world.add(B, [{ step: 10 }]);
  await world.add('20261122_140000_cccc', []);
  expect((await world.drill('--all')).report.sessions.map(({ session }) => session)).toEqual([B, A]);
  rmSync(join(folderOf(other, 1), 'manifest.json'));
  expect(await world.drill('--all')).toMatchObject({
    code: 65,
    report: { ok: false, sessions: [{ ok: false }, { ok: true }] },
  });
});

test('one drill at a time: a second one says who is there, the lock of a dead one is no hindrance', async () => {
  const world = new DrilledWorld();
  await world.add(A, [{ step: 10 }]);
  const cleanup = new Cleanup();
  await lockDrills(nodeFiles, world.home, cleanup);
  const second = await world.cli(['drill']);
  expect(second).toMatchObject({ code: 73, stdout: '' });
  expect(second.stderr).toContain(`another drill is running: pid ${process.pid}`);
  await cleanup.close((error) => expect(error).toBeUndefined());
  expect((await world.drill()).code).toBe(0);
  const owners = join(world.home.directory, 'drills', 'owners');
  const newest = Math.max(...readdirSync(owners).map((name) => Number.parseInt(name, 10)));
  // As a drill that was killed leaves it: not given back, and its process is dead.
  rmSync(join(owners, `${newest}.released`));
  expect((await world.drill()).code).toBe(0);
});

test('a recovery that takes longer than --within is not good, whatever else is', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [{ step: 10 }]);
  const cleanup = new Cleanup();
  const session: DrilledSession = {
    layout,
    name: null,
    state: 'interrupted',
    file: null,
    isMissing: false,
    reachedStep: 10,
    trainerChanged: false,
    sourceDigest: null,
    commandOf: () => null,
    detectMs: 2_000,
  };
  const drilled = (withinMs: number): Promise<SessionDrill> =>
    drillSession(session, {
      files: nodeFiles,
      level: 2,
      injections: [],
      device: 'cpu',
      timeoutMs: null,
      withinMs,
      scratchParent: '/nowhere',
      versions: {},
      nowMs: () => performance.now(),
      random: Math.random,
      cleanup,
      onProgress: () => undefined,
    });
  expect(await drilled(1_999)).toMatchObject({
    ok: false,
    within: { limitMs: 1_999, ok: false },
    problems: [expect.stringContaining('which is more than')],
  });
  expect(await drilled(3_600_000)).toMatchObject({ ok: true, within: { ok: true }, problems: [] });
  await cleanup.close((error) => expect(error).toBeUndefined());
});

test('the history keeps every drill, and one that failed after good ones stands out', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [{ step: 10 }, { step: 20 }]);
  await world.drill();
  await world.drill();
  const file = join(folderOf(layout, 2), 'tensors.safetensors');
  flipLastByte(file, statSync(file).size);
  await world.drill();
  const { stdout } = await world.cli(['drill', '--history', '--json']);
  const { drills } = JSON.parse(stdout) as { drills: { session: string; ok: boolean; level: string }[] };
  expect(drills.map(({ session, ok, level }) => [session, ok, level])).toEqual([
    [A, true, '2'],
    [A, true, '2'],
    [A, false, '2'],
  ]);
  const words = await world.cli(['drill', '--history', 'latest']);
  expect(words.stdout).toMatch(/NOT GOOD[\s\S]*checkpoint 2: tensors\.safetensors/);
  expect(words.stdout).toContain(`${A}: NOT GOOD, the last drill; good until`);
  const wrong = await world.cli(['drill', '--within', '30s', '--level', '2']);
  expect(wrong).toMatchObject({ code: 64, stderr: expect.stringContaining('does not put anything back') });
  const both = await world.cli(['drill', '--all', '--level', '1', A]);
  expect(both).toMatchObject({ code: 64, stderr: expect.stringContaining('--all is every session') });
});
