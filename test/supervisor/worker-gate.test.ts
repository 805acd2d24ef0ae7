import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { identityOf } from '../../src/checkpoint/process-identity.ts';
import type { WorkerIdentity } from '../../src/checkpoint/types.ts';
import { WorkerGate } from '../../src/supervisor/worker-gate.ts';

/** Above the highest pid that Linux gives. */
const UNSEEN = 2 ** 22 + 1;

/** A process that lives until the test ends. */
function living(env: NodeJS.ProcessEnv = {}, detached = true): ChildProcess & { readonly pid: number } {
  const child = spawn('sleep', ['60'], { env: { PATH: process.env.PATH, ...env }, detached, stdio: 'ignore' });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  if (child.pid === undefined) throw new Error('not started');
  return child as ChildProcess & { readonly pid: number };
}

function launched(pid: number): WorkerIdentity {
  const group = identityOf(pid);
  if (group === null) throw new Error('it is gone');
  return { attempt: 2, group, outputDirectory: '/nowhere', resumedFrom: null };
}

test('a process of the launched group is the worker, also when it connects again', () => {
  const { pid } = living();
  const gate = new WorkerGate('s');
  expect(gate.refusalOf({ attempt: 2, pid, pidNamespace: null }, 2, launched(pid))).toBeNull();
  expect(gate.refusalOf({ attempt: 2, pid, pidNamespace: null }, 2, launched(pid))).toBeNull();
});

test('a child of the launched process may speak in its place: any language', async () => {
  const parent = spawn('sh', ['-c', 'setsid sleep 60 & echo $!; wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(String(line));
  onTestFinished(() => {
    process.kill(pid, 'SIGKILL');
  });
  expect(
    new WorkerGate('s').refusalOf({ attempt: 2, pid, pidNamespace: null }, 2, launched(parent.pid ?? 0)),
  ).toBeNull();
});

test('a stranger with the token is refused, one that carries the environment of the attempt is not', () => {
  const leader = living();
  const stranger = living();
  const own = living({ NKAT_SESSION: 's', NKAT_ATTEMPT: '2' });
  const other = living({ NKAT_SESSION: 's', NKAT_ATTEMPT: '1' });
  const gate = new WorkerGate('s');
  const worker = launched(leader.pid);
  expect(gate.refusalOf({ attempt: 2, pid: stranger.pid, pidNamespace: null }, 2, worker)).toMatchObject({
    code: 'session',
  });
  expect(gate.refusalOf({ attempt: 2, pid: other.pid, pidNamespace: null }, 2, worker)).toMatchObject({
    code: 'session',
  });
  expect(gate.refusalOf({ attempt: 2, pid: own.pid, pidNamespace: null }, 2, worker)).toBeNull();
  expect(gate.refusalOf({ attempt: 2, pid: UNSEEN, pidNamespace: null }, 2, worker)).toMatchObject({ code: 'session' });
});

test('the first that spoke keeps its place while it lives', async () => {
  const environment = { NKAT_SESSION: 's', NKAT_ATTEMPT: '2' };
  const [first, second] = [living(environment), living(environment)];
  const gate = new WorkerGate('s');
  expect(gate.refusalOf({ attempt: 2, pid: first.pid, pidNamespace: null }, 2, null)).toBeNull();
  expect(gate.refusalOf({ attempt: 2, pid: second.pid, pidNamespace: null }, 2, null)?.message).toContain(
    `pid ${first.pid}`,
  );
  first.kill('SIGKILL');
  await once(first, 'exit');
  expect(gate.refusalOf({ attempt: 2, pid: second.pid, pidNamespace: null }, 2, null)).toBeNull();
});

test('a straggler of an earlier attempt is fenced', () => {
  const { pid } = living();
  expect(new WorkerGate('s').refusalOf({ attempt: 1, pid, pidNamespace: null }, 2, launched(pid))).toMatchObject({
    code: 'fenced',
  });
});

test('a worker of another pid namespace comes in while what was launched lives and nobody else speaks', async () => {
  const leader = living();
  const worker = launched(leader.pid);
  const gate = new WorkerGate('s');
  // Its number is that of a process of ours which is none of the attempt.
  const inside = { attempt: 2, pid: 1, pidNamespace: 'pid:[1]' };
  expect(gate.refusalOf({ ...inside, pidNamespace: null }, 2, worker)).toMatchObject({ code: 'session' });
  expect(gate.refusalOf(inside, 2, null)).toMatchObject({ code: 'session' });
  expect(gate.refusalOf(inside, 2, worker)).toBeNull();
  expect(gate.refusalOf(inside, 2, worker)).toBeNull();
  expect(gate.refusalOf({ ...inside, pid: 7 }, 2, worker)?.message).toContain('has its worker already');
  expect(gate.refusalOf({ ...inside, attempt: 3 }, 3, { ...worker, attempt: 3 })).toBeNull();
  // One that can be seen to be the worker is never kept out by one that cannot.
  expect(gate.refusalOf({ attempt: 3, pid: leader.pid, pidNamespace: null }, 3, { ...worker, attempt: 3 })).toBeNull();
  expect(gate.refusalOf({ ...inside, attempt: 3 }, 3, { ...worker, attempt: 3 })).toMatchObject({ code: 'session' });
  leader.kill('SIGKILL');
  await once(leader, 'exit');
  expect(new WorkerGate('s').refusalOf(inside, 2, worker)).toMatchObject({ code: 'session' });
});
