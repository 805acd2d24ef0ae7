import { expect, test } from 'vitest';
import type { Owner } from '../../src/checkpoint/types.ts';
import { presentState, type Recorded, type Watch } from '../../src/cli/session-state.ts';

const SELF = { bootId: 'boot', pidNamespace: 'pid:[1]', machineId: 'machine', host: 'here' };
const owner: Owner = { ...SELF, claim: 3, role: 'supervisor', at: '2026-11-22T12:00:00.000Z', pid: 10, startTime: '1' };
const group = { pid: 20, startTime: '2', bootId: 'boot' };
const worker = { group, machineId: 'machine' };
const workerBefore = { group: { ...group, bootId: 'before' }, machineId: 'machine' };

function present(recorded: Partial<Recorded>, living: readonly number[] = []) {
  const watch: Watch = { self: SELF, alive: ({ pid, bootId }) => bootId === 'boot' && living.includes(pid) };
  return presentState({ state: 'running', owner, worker, ...recorded }, watch);
}

test('a living owner is running, whatever was recorded', () => {
  expect(present({}, [10, 20])).toEqual({ state: 'running', ownerPid: 10, workerAlive: true });
  expect(present({ state: 'interrupted' }, [10]).state).toBe('running');
});

test('a dead owner: its worker alive is orphaned, both dead is crashed', () => {
  expect(present({}, [20])).toEqual({ state: 'orphaned', ownerPid: null, workerAlive: true });
  expect(present({})).toEqual({ state: 'crashed', ownerPid: null, workerAlive: false });
  expect(present({ owner: null, worker: null }).state).toBe('crashed');
});

test('another boot of the same machine is a cut', () => {
  expect(present({ owner: { ...owner, bootId: 'before' }, worker: workerBefore }).state).toBe('cut');
  expect(present({ owner: null, worker: workerBefore }).state).toBe('cut');
  expect(present({ owner: null, worker: { group: workerBefore.group } }).state).toBe('cut');
});

test('what runs elsewhere cannot be judged from here', () => {
  const elsewhere = { ...owner, bootId: 'other', machineId: 'other' };
  expect(present({ owner: elsewhere, worker: null }).state).toBe('running');
  expect(present({ owner: null, worker: { ...workerBefore, machineId: 'other' } }).state).toBe('running');
  expect(present({ owner: null, worker: { ...workerBefore, machineId: null } }).state).toBe('running');
});

test('a state that ended stays as it was recorded', () => {
  for (const state of ['completed', 'interrupted', 'gave-up'] as const)
    expect(present({ state, owner: null }).state).toBe(state);
});
