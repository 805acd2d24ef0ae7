import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { identityOf, isAlive } from '../../src/checkpoint/process-identity.ts';
import type { ProcessIdentity } from '../../src/checkpoint/types.ts';
import { BoundedWait } from '../../src/supervisor/bounded-wait.ts';
import { endOrphans, findOrphans } from '../../src/supervisor/orphans.ts';
import {
  emptyGroup,
  groupMembers,
  ownedMembers,
  signalGroup,
  wakeStopped,
} from '../../src/supervisor/process-group.ts';
import { parsePs, parseStat } from '../../src/supervisor/process-table.ts';
import { waitFor } from '../rig/wait-for.ts';
import { fixtureCommand, launch, uniqueSession, written } from './launching.ts';

/** Somebody else's process in a group of its own. */
function stranger(): ProcessIdentity {
  const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const identity = identityOf(child.pid ?? -1);
  if (identity === null) throw new Error('not started');
  return identity;
}

test('a group whose leader number went to another process is not touched', async () => {
  const other = stranger();
  const leader = { ...other, startTime: String(Number(other.startTime) - 1) };
  const group = { leader, session: uniqueSession() };
  expect(ownedMembers(group)).toEqual([]);
  expect(signalGroup(group, 'SIGKILL')).toBe('gone');
  expect(await emptyGroup(group, new BoundedWait(1000))).toBe(true);
  expect(isAlive(other)).toBe(true);
});

test('a group of an earlier boot is not touched', async () => {
  const other = stranger();
  const group = { leader: { ...other, bootId: '00000000-0000-0000-0000-000000000000' }, session: uniqueSession() };
  expect(await emptyGroup(group, new BoundedWait(1000))).toBe(true);
  expect(isAlive(other)).toBe(true);
});

test('a group without its leader is ours only if a member carries our session', async () => {
  const { worker, files, spec } = await launch({ command: fixtureCommand('deaf.mjs') });
  await written(files.stdout, 'ready');
  process.kill(worker.group.pid, 'SIGKILL');
  await worker.ended;
  expect(ownedMembers({ leader: worker.group, session: 'another' })).toEqual([]);
  expect(ownedMembers({ leader: worker.group, session: spec.session })).toHaveLength(1);
  expect(await emptyGroup({ leader: worker.group, session: 'another' }, new BoundedWait(1000))).toBe(true);
  expect(groupMembers(worker.group.pid)).toHaveLength(1);
  expect(await emptyGroup(worker.owned, new BoundedWait(10_000))).toBe(true);
  expect(groupMembers(worker.group.pid)).toEqual([]);
});

test('a zombie is no member', async () => {
  // Once it has become `sleep`, the parent never collects its child.
  const parent = spawn('sh', ['-c', 'setsid sleep 1000 & echo $!; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => {
    parent.kill('SIGKILL');
  });
  const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))));
  const read = (process: number, file: string): string => readFileSync(`/proc/${process}/${file}`, 'latin1');
  await waitFor('the parent', () => read(parent.pid ?? 0, 'comm') === 'sleep\n');
  await waitFor('the group', () => groupMembers(pid).length === 1);
  process.kill(pid, 'SIGKILL');
  await waitFor('the zombie', () => parseStat(read(pid, 'stat'))?.state === 'Z');
  expect(groupMembers(pid)).toEqual([]);
});

test('what was stopped is woken, and that it was is told', async () => {
  const { worker, files } = await launch({ command: fixtureCommand('deaf.mjs') });
  await written(files.stdout, 'ready');
  expect(wakeStopped(worker.owned)).toBe(false);
  worker.signalGroup('SIGSTOP');
  const isStopped = (): boolean => groupMembers(worker.group.pid).every(({ state }) => state === 'T');
  await waitFor('all stopped', isStopped);
  expect(wakeStopped(worker.owned)).toBe(true);
  await waitFor('all awake', () => !groupMembers(worker.group.pid).some(({ state }) => state === 'T'));
  await emptyGroup(worker.owned, new BoundedWait(10_000));
  expect(wakeStopped(worker.owned)).toBe(false);
});

test('a stopped group is killed too', async () => {
  const { worker, files } = await launch({ command: fixtureCommand('deaf.mjs') });
  await written(files.stdout, 'ready');
  expect(worker.signalGroup('SIGSTOP')).toBe('sent');
  expect(await emptyGroup(worker.owned, new BoundedWait(10_000))).toBe(true);
  await worker.ended;
  expect(worker.signalGroup('SIGTERM')).toBe('gone');
});

test('what outlives SIGKILL is told after the bound', async () => {
  const { worker, files } = await launch({ command: fixtureCommand('deaf.mjs') });
  await written(files.stdout, 'ready');
  // No time at all: a process that is just being killed still counts as a member.
  expect(await emptyGroup(worker.owned, new BoundedWait(0))).toBe(false);
});

test('processes of a session are found wherever they went', async () => {
  const { worker, files, spec } = await launch({ command: fixtureCommand('grandchild.mjs', 'setsid') });
  await worker.ended;
  expect(await emptyGroup(worker.owned, new BoundedWait(10_000))).toBe(true);
  const pid = Number(/grandchild (\d+)/.exec(readFileSync(files.stdout, 'utf8'))?.[1]);
  const [orphan, ...more] = findOrphans(spec.session);
  expect(more).toEqual([]);
  expect(orphan).toMatchObject({ identity: { pid }, group: pid });
  expect(findOrphans(`${spec.session.slice(0, -1)}`)).toEqual([]);
  expect(await endOrphans(() => findOrphans(spec.session), 10_000)).toEqual({ ended: 1, unkillable: [] });
  expect(findOrphans(spec.session)).toEqual([]);
});

test('a command name with parentheses and spaces does not mislead', () => {
  const fields = Array.from({ length: 50 }, (_, index) => String(index));
  expect(parseStat(`42 (a) R (b c) S 7 9 ${fields.slice(3).join(' ')}`)).toEqual({
    pid: 42,
    parent: 7,
    group: 9,
    state: 'S',
    startTime: '19',
  });
  expect(parseStat('')).toBeNull();
});

test('the columns of ps', () => {
  expect(parsePs('    1     0     1 Ss\n  501   1 500 Z+\n\n')).toEqual([
    { pid: 1, parent: 0, group: 1, state: 'S', startTime: null },
    { pid: 501, parent: 1, group: 500, state: 'Z', startTime: null },
  ]);
});
