/** Does a worker compute on a card? */
import { expect, it } from 'vitest';
import { type UseEvidence, useOf } from '../../../src/gpu/policy/card-use.ts';

const CARD = 'GPU-1';
const OWN = 100;
const STRANGER = 200;

function on(gpuUuid: string, pid: number): NonNullable<UseEvidence['processes']>[number] {
  return { gpuUuid, pid, name: 'node', memoryMib: null };
}

function use(evidence: Partial<UseEvidence>): string {
  return useOf(CARD, { device: null, processes: [], own: new Set([OWN]), namesOurPids: true, ...evidence });
}

it('believes the list of the driver more than what the worker declares', () => {
  expect(use({ device: 'cpu', processes: [on(CARD, OWN)] })).toBe('seen');
  expect(use({ device: 'gpu', processes: [on('GPU-2', OWN)] })).toBe('elsewhere');
  expect(use({ processes: [on(CARD, STRANGER), on('GPU-2', OWN)] })).toBe('elsewhere');
  // Which card an instance is a part of is not in the list.
  expect(use({ processes: [on('MIG-1', OWN)] })).toBe('seen');
});

it('takes what the worker declares where the list does not name it: WSL and containers list nothing', () => {
  for (const processes of [null, []]) {
    expect(use({ device: 'cpu', processes })).toBe('elsewhere');
    expect(use({ device: 'gpu', processes })).toBe('presumed');
    // Whoever says nothing may be on any card: what protects it is done.
    expect(use({ device: null, processes })).toBe('presumed');
  }
});

it('takes a list of others for proof only where it counts processes as we do', () => {
  const processes = [on(CARD, STRANGER)];
  expect(use({ processes })).toBe('elsewhere');
  expect(use({ processes, namesOurPids: false })).toBe('presumed');
  expect(use({ processes, device: 'gpu' })).toBe('presumed');
});
