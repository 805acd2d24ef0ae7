import { expect, test } from 'vitest';
import {
  boolean,
  Invalid,
  integer,
  list,
  nullable,
  number,
  object,
  optional,
  read,
  record,
  stored,
  string,
} from '../src/schema.ts';

const text = string(100);

test('a message may leave out what may be null, and loses what is not known', () => {
  const schema = object({ a: integer(), b: nullable(text) });
  expect(read(schema, { a: 1, later: true })).toEqual({ a: 1, b: null });
});

test('a stored record is whole, and keeps what a later release added', () => {
  const schema = stored({ a: integer(), b: nullable(text), inner: stored({ c: boolean() }) });
  const whole = { a: 1, b: null, inner: { c: true, deep: [1] }, later: { x: 1 } };
  expect(read(schema, whole)).toEqual(whole);
  expect(read(schema, { a: 1, inner: { c: true } })).toMatchObject({ detail: 'b: missing' });
  expect(read(schema, { ...whole, inner: {} })).toMatchObject({ detail: 'inner.c: missing' });
});

test('an optional field may be missing, but not be null or undefined', () => {
  const schema = stored({ a: optional(boolean()) });
  expect(read(schema, {})).toEqual({});
  expect(read(schema, { a: false })).toEqual({ a: false });
  for (const a of [null, undefined, 0]) expect(read(schema, { a })).toBeInstanceOf(Invalid);
});

test('a stored key named __proto__ stays an entry and changes no prototype', () => {
  const value = read(stored({ a: integer() }), JSON.parse('{"a":1,"__proto__":{"polluted":1}}'));
  expect(Object.keys(value)).toEqual(['a', '__proto__']);
  expect(Reflect.get({}, 'polluted')).toBeUndefined();
});

test('the keys of a record are checked where a pattern says so', () => {
  const schema = record(number(), 10, /^[a-z]+$/);
  expect(read(schema, { abc: 1 })).toEqual({ abc: 1 });
  expect(read(schema, { 'a/b': 1 })).toMatchObject({ detail: 'has the key "a/b"' });
});

test('what no JSON number may be is refused', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1.5, 2 ** 53, '1', null]) {
    expect(read(stored({ n: list(integer(0), 0, 2) }), { n: [value] })).toMatchObject({ path: ['n', '0'] });
  }
});
