/** Two checkpoints bit by bit: one bit in one value is found, named and measured; equal ones are equal. */
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { compareCheckpoints, valueDifference } from '../../src/drill/compare.ts';
import { ADAM, adamState, DrilledWorld, folderOf, MODEL, type SavedCheckpoint } from './drilled-world.ts';

const A = '20261122_120000_aaaa';

async function comparison(one: SavedCheckpoint, other: SavedCheckpoint): ReturnType<typeof compareCheckpoints> {
  const world = new DrilledWorld();
  const layout = await world.add(A, [one, other]);
  return compareCheckpoints(nodeFiles, A, [folderOf(layout, 1), folderOf(layout, 2)]);
}

test('equal', async () => {
  expect(await comparison({ step: 10 }, { step: 10 })).toEqual({ tensors: [], state: [] });
});

test('the last bit of one value', async () => {
  const next = new Float32Array(new Uint32Array([0x41200001]).buffer)[0] ?? 0;
  const { tensors, state } = await comparison({ step: 10 }, { step: 10, first: next });
  expect(state).toEqual([]);
  expect(tensors).toMatchObject([{ name: 'model/dense/kernel', elements: 1, isHistory: false }]);
  expect(tensors[0]?.largestAbsolute).toBe(next - 10);
  expect(tensors[0]?.largestRelative).toBe((next - 10) / next);
});

test('a tensor that one of them lacks, one of another shape, and a place in state.json', async () => {
  const other = [
    ...MODEL.slice(0, 1),
    { name: 'model/dense/bias', dtype: 'F32', shape: [1, 2] } as const,
    ...ADAM.slice(1),
  ];
  const { tensors, state } = await comparison(
    { step: 10 },
    { step: 10, tensors: other, state: adamState(['model/x']) },
  );
  expect(tensors.map(({ name, elements }) => [name, elements])).toEqual([
    ['model/dense/bias', null],
    ['optimizer/accBeta1', null],
  ]);
  expect(state).toEqual(['state.optimizers.optimizer.trained']);
});

test('zeros of both signs differ, no-number values of one kind do not, and what cannot be read is not reckoned', () => {
  const bytes = (values: readonly number[]): Uint8Array<ArrayBuffer> => new Uint8Array(new Float32Array(values).buffer);
  expect(valueDifference('F32', bytes([0, Number.NaN, 1]), bytes([-0, Number.NaN, 1]))).toEqual({
    elements: 1,
    largestAbsolute: 0,
    largestRelative: 0,
  });
  expect(valueDifference('F32', bytes([Number.NaN]), bytes([1]))).toMatchObject({ elements: 1, largestAbsolute: null });
  expect(valueDifference('BF16', bytes([1]), bytes([2])).elements).toBeNull();
});
