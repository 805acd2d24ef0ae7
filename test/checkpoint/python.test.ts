import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { bytesOf } from '../../src/checkpoint/safetensors-header.ts';
import { DTYPE_BITS, type Dtype, type TensorSpec } from '../../src/checkpoint/types.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import setUpPython, { PYTHON } from '../setup-python.ts';
import { claimed, SESSION, save, temporaryLayout } from './store.ts';

beforeAll(() => setUpPython(), 300_000);

/** `deserialize` is the format's own reader for all dtypes; `load_file` gives numpy's arrays for those that numpy has. */
const READER = `
import hashlib, json, sys
import safetensors
from safetensors.numpy import load_file
path = sys.argv[1]
data = open(path, 'rb').read()
raw = {
    name: {'dtype': t['dtype'], 'shape': list(t['shape']), 'sha': hashlib.sha256(bytes(t['data'])).hexdigest()}
    for name, t in safetensors.deserialize(data)
}
numpy = None
if len(sys.argv) > 2:
    numpy = {name: [str(a.dtype), list(a.shape), a.reshape(-1)[:3].tolist()] for name, a in load_file(path).items()}
print(json.dumps({'raw': raw, 'numpy': numpy}))`;

interface Read {
  readonly raw: Record<string, { dtype: string; shape: number[]; sha: string }>;
  readonly numpy: Record<string, [string, number[], unknown[]]> | null;
}

function readWithPython(path: string, ...more: string[]): Read {
  const out = execFileSync(PYTHON, ['-c', READER, join(path, 'tensors.safetensors'), ...more], { encoding: 'utf8' });
  return JSON.parse(out) as Read;
}

test("Python's safetensors reads every dtype, empty tensors, scalars and names of any Unicode", async () => {
  const layout = temporaryLayout();
  const names = [
    'plain',
    'ä/ö',
    '日本語',
    '🜚🜛',
    'quote " and \\ slash',
    'line\nbreak\u0000',
    '__proto__',
    '7',
    '',
    'constructor',
  ];
  const tensors: TensorSpec[] = [
    ...Object.keys(DTYPE_BITS).map((dtype) => ({ name: `of ${dtype}`, dtype: dtype as Dtype, shape: [3, 8] })),
    ...Object.keys(DTYPE_BITS).map((dtype) => ({ name: `empty ${dtype}`, dtype: dtype as Dtype, shape: [2, 0] })),
    ...names.map((name) => ({ name, dtype: 'U8' as const, shape: [] })),
    { name: 'scalar', dtype: 'F64', shape: [] },
  ];
  const sizes = tensors.map(({ dtype, shape }) => bytesOf(dtype, shape) ?? 0);
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0)).map((_, index) => index % 64);
  const { path } = await save({ layout, claim: await claimed(layout), step: 1, tensors, bytes });
  expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({ status: 'verified' });
  const { raw } = readWithPython(path);
  expect(Object.keys(raw)).toHaveLength(tensors.length);
  let at = 0;
  for (const [index, { name, dtype, shape }] of tensors.entries()) {
    const part = bytes.subarray(at, at + (sizes[index] ?? 0));
    at += part.length;
    // A map, since one of the names is __proto__.
    const read = new Map(Object.entries(raw)).get(name);
    expect(read).toEqual({ dtype, shape, sha: createHash('sha256').update(part).digest('hex') });
  }
});

test('numpy sees the values', async () => {
  const layout = temporaryLayout();
  const tensors: TensorSpec[] = [
    { name: 'odd', dtype: 'U8', shape: [1] },
    { name: 'f32', dtype: 'F32', shape: [3] },
    { name: 'i64', dtype: 'I64', shape: [1, 2] },
    { name: 'f64', dtype: 'F64', shape: [] },
  ];
  const bytes = Buffer.concat(
    [
      new Uint8Array([7]),
      new Float32Array([1.5, -2, 0.25]),
      new BigInt64Array([-1n, 2n ** 40n]),
      new Float64Array([Math.PI]),
    ].map((values) => Buffer.from(values.buffer)),
  );
  const { path } = await save({ layout, claim: await claimed(layout), step: 1, tensors, bytes });
  expect(readWithPython(path, 'numpy').numpy).toEqual({
    odd: ['uint8', [1], [7]],
    f32: ['float32', [3], [1.5, -2, 0.25]],
    i64: ['int64', [1, 2], [-1, 2 ** 40]],
    f64: ['float64', [], [Math.PI]],
  });
});

test('no tensors at all', async () => {
  const layout = temporaryLayout();
  const { path } = await save({ layout, claim: await claimed(layout), step: 1, tensors: [] });
  expect(readWithPython(path).raw).toEqual({});
  expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({ status: 'verified' });
});
