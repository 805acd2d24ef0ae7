import { expect, test } from 'vitest';
import { arraysState } from '../../src/worker/arrays-state.ts';
import { bytesOfTensor, savedTensors } from './rig/tensor-bytes.ts';

function savedOf(state: ReturnType<typeof arraysState>) {
  const snapshot = state.snapshot();
  return { tensors: savedTensors(snapshot.tensors), json: snapshot.json };
}

test('a snapshot is of its moment, in the memory of one that was released and never of one that is held', () => {
  const weights = new Float32Array([1, 2, 3]);
  const state = arraysState({ weights });
  const valuesOf = (snapshot: ReturnType<typeof state.snapshot>): number[] =>
    snapshot.tensors.flatMap((tensor) => [...new Float32Array(bytesOfTensor(tensor, 5).buffer)]);
  state.snapshot().release();
  const first = state.snapshot();
  weights.fill(4);
  const second = state.snapshot();
  weights.fill(5);
  expect(valuesOf(first)).toEqual([1, 2, 3]);
  expect(valuesOf(second)).toEqual([4, 4, 4]);
});

test('arrays of every type come back as they were at the snapshot', () => {
  const arrays = {
    f32: new Float32Array([1.5, -0, Number.NaN]),
    f64: new Float64Array([Math.PI]),
    i8: new Int8Array([-1]),
    u8: new Uint8Array([255]),
    clamped: new Uint8ClampedArray([7]),
    i16: new Int16Array([-300]),
    u16: new Uint16Array([60_000]),
    i32: new Int32Array([-70_000]),
    u32: new Uint32Array([4e9]),
    i64: new BigInt64Array([-5n]),
    u64: new BigUint64Array([2n ** 63n]),
    empty: new Float32Array(0),
    part: new Float32Array(new ArrayBuffer(16), 4, 2),
  };
  let extra: unknown = { rate: 0.1 };
  const state = arraysState(arrays, {
    json: {
      save: () => extra,
      restore: (value) => {
        extra = value;
      },
    },
  });
  const before = structuredClone(arrays);
  const saved = savedOf(state);
  for (const array of Object.values(arrays)) new Uint8Array(array.buffer).fill(0);
  extra = null;
  expect(saved.tensors.get('i64')?.dtype).toBe('I64');
  state.restore(saved);
  expect(structuredClone(arrays)).toEqual(before);
  expect(extra).toEqual({ rate: 0.1 });
});

test('what does not fit is named in one error, and nothing is changed', () => {
  const saved = savedOf(arraysState({ a: new Float32Array([1]), b: new Float32Array([2]), c: new Float32Array([3]) }));
  const a = new Float32Array(1);
  const other = arraysState({ a, b: new Float32Array(2), d: new Float32Array(1) });
  expect(() => other.restore(saved)).toThrow(
    expect.objectContaining({
      code: 'state-mismatch',
      message: expect.stringMatching(/b is F32\[1\] instead of F32\[2\].*d is missing.*c is unknown/),
    }),
  );
  expect(a[0]).toBe(0);
});
