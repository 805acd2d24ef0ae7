import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headerLength, parseHeader, planFile } from '../../src/checkpoint/safetensors-header.ts';
import { DTYPE_BITS, type Dtype, type TensorSpec } from '../../src/checkpoint/types.ts';

const dtype = fc.constantFrom(...(Object.keys(DTYPE_BITS) as Dtype[]));
const specs: fc.Arbitrary<TensorSpec[]> = fc.uniqueArray(
  fc.record({
    name: fc
      .string({ unit: 'binary' })
      .filter((name) => name !== '__metadata__' && Buffer.from(name).toString() === name),
    dtype,
    shape: fc.array(fc.nat(5), { maxLength: 3 }).map((shape) => [...shape, 8]),
  }),
  { selector: ({ name }) => name, maxLength: 12 },
);

test('what is planned is read back, aligned to 8 bytes', () => {
  fc.assert(
    fc.property(specs, (tensors) => {
      const planned = planFile(tensors);
      const length = headerLength(planned.header, planned.bytes);
      expect(length).toBe(planned.header.length - 8);
      expect(planned.header.length % 8).toBe(0);
      const parsed = parseHeader(planned.header.subarray(8), planned.bytes - planned.header.length);
      const byName = (list: readonly { name: string }[]) => new Map(list.map((tensor) => [tensor.name, tensor]));
      expect(parsed.ok && byName(parsed.tensors)).toEqual(byName(planned.tensors));
    }),
  );
});

test('no header makes the reader throw, and only one that fills the data exactly is accepted', () => {
  const entry = fc.record(
    {
      dtype: fc.oneof(dtype, fc.string(), fc.integer()),
      shape: fc.oneof(fc.array(fc.oneof(fc.nat(9), fc.double(), fc.maxSafeInteger()), { maxLength: 3 }), fc.anything()),
      data_offsets: fc.oneof(
        fc.array(fc.oneof(fc.nat(64), fc.double(), fc.maxSafeInteger()), { maxLength: 3 }),
        fc.string(),
      ),
    },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    fc.dictionary(fc.string(), fc.oneof(entry, fc.jsonValue())).map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(text, fc.nat(64), (header, dataBytes) => {
      const parsed = parseHeader(Buffer.from(header), dataBytes);
      if (parsed.ok) expect(parsed.tensors.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(dataBytes);
      else expect(parsed.problem).not.toBe('');
    }),
    { numRuns: 1000 },
  );
});

test('metadata is no tensor; a name may look like anything', () => {
  const header = Buffer.from('{"__metadata__":{"a":"b:{"},"{\\":[":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}');
  expect(parseHeader(header, 2)).toMatchObject({ ok: true, tensors: [{ name: '{":[', bytes: 2 }] });
});
