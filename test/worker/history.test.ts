import fc from 'fast-check';
import { expect, test } from 'vitest';
import { History } from '../../src/worker/history.ts';
import type { SavedTensor } from '../../src/worker/state.ts';
import { bytesOfTensor, savedTensors } from './rig/tensor-bytes.ts';

function saved(history: History): Map<string, SavedTensor> {
  return savedTensors(history.snapshot());
}

test('columns keep every value bit for bit, NaN where a row lacks them', () => {
  const row = fc.dictionary(fc.constantFrom('loss', 'accuracy', 'a b/c'), fc.double());
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
      const history = new History('step');
      for (const values of rows) history.append(values);
      const back = new History('step');
      back.putBack(saved(history), rows.length);
      for (const name of ['loss', 'accuracy', 'a b/c']) {
        const expected = rows.some((values) => name in values) ? rows.map((values) => values[name] ?? Number.NaN) : [];
        expect([...history.column(name)]).toEqual(expected);
        expect([...back.column(name)]).toEqual(expected);
      }
      expect(back.rows).toBe(rows.length);
    }),
  );
});

test('a snapshot is of its moment, however far the history grows before it is read', () => {
  const history = new History('step');
  for (let step = 0; step < 1000; step++) history.append({ loss: step });
  const [tensor] = history.snapshot();
  for (let step = 1000; step < 5000; step++) history.append({ loss: -step });
  const values = tensor === undefined ? [] : [...new Float64Array(bytesOfTensor(tensor, 999).buffer)];
  expect(values).toHaveLength(1000);
  expect(values.every((value, at) => value === at)).toBe(true);
  expect(tensor).toMatchObject({ name: 'history/step/loss', dtype: 'F64', shape: [1000], mayBeNonFinite: true });
  expect(history.rows).toBe(5000);
});

test('restoring goes on behind the restored rows, and a column of another length is refused', () => {
  const history = new History('step');
  for (let step = 0; step < 3; step++) history.append({ loss: step });
  const back = new History('step');
  back.append({ other: 1 });
  back.putBack(saved(history), 3);
  back.append({ loss: 3 });
  expect([...back.column('loss')]).toEqual([0, 1, 2, 3]);
  expect(back.column('other')).toHaveLength(0);
  expect(() => back.putBack(saved(history), 4)).toThrow(expect.objectContaining({ code: 'state-mismatch' }));
});
