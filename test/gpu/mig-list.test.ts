import { expect, it } from 'vitest';
import { readMigList } from '../../src/gpu/mig-list.ts';

it('finds the instances of each card', () => {
  const text = `GPU 0: NVIDIA A100 (UUID: GPU-aaaa)
  MIG 3g.40gb     Device  0: (UUID: MIG-1111)
  MIG 2g.20gb     Device  1: (UUID: MIG-2222)
GPU 1: NVIDIA A100 (UUID: GPU-bbbb)
GPU 2: NVIDIA A100 (UUID: GPU-cccc)
  MIG 1g.10gb     Device  0: (UUID: MIG-GPU-cccc/7/0)
`;
  expect([...readMigList(text)]).toEqual([
    ['GPU-aaaa', ['MIG-1111', 'MIG-2222']],
    ['GPU-cccc', ['MIG-GPU-cccc/7/0']],
  ]);
  expect(readMigList('No devices were found\n').size).toBe(0);
});
