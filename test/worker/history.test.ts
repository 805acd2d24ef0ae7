import fc from 'fast-check';
import { expect, test } from 'vitest';
import { History } from '../../src/worker/history.ts';
import type { SavedTensor } from '../../src/worker/state.ts';

function saved(history: History): Map<string, SavedTensor> {
  return new Map(
    history
      .snapshot()
      .map((tensor) => [tensor.name, { dtype: tensor.dtype, shape: tensor.shape, bytes: tensor.read() }]),
  );
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
  const values = new Float64Array(tensor?.read().buffer ?? new ArrayBuffer(0));
  expect(values).toHaveLength(1000);
  expect(values.every((value, at) => value === at)).toBe(true);
  expect(tensor).toMatchObject({ name: 'history/step/loss', dtype: 'F64', shape: [1000], mayBeNonFinite: true });
  expect(history.rows).toBe(5000);
});

test('what is read may be transferred without hurting the history', () => {
  const history = new History('epoch');
  history.append({ accuracy: 0.5 });
  const bytes = history.snapshot()[0]?.read();
  structuredClone(bytes, { transfer: bytes === undefined ? [] : [bytes.buffer] });
  expect([...history.column('accuracy')]).toEqual([0.5]);
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
