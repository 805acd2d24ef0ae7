import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSupervisorMessage, decodeWorkerMessage } from '../../src/protocol/decode.ts';
import { WORKER_MESSAGES } from '../../src/protocol/messages.ts';
import { Invalid, number, read, record } from '../../src/schema.ts';
import { valuesOf } from './message-arbitraries.ts';

test('what is no message is malformed', () => {
  for (const line of ['', '{', 'null', '[]', '"x"', '{"v":1}', '{"type":5}', '[['.repeat(200_000), 'NaN']) {
    expect(decodeWorkerMessage(line)).toMatchObject({ ok: false, problem: 'malformed' });
  }
});

test('unknown types, other versions and fields that do not fit are told apart, and the field is named', () => {
  expect(decodeWorkerMessage('{"v":1,"type":"telepathy"}')).toMatchObject({ problem: 'unknown-type' });
  expect(decodeWorkerMessage('{"v":1,"type":"constructor"}')).toMatchObject({ problem: 'unknown-type' });
  expect(decodeWorkerMessage('{"v":2,"type":"phase","phase":"train"}')).toMatchObject({ problem: 'other-version' });
  expect(decodeWorkerMessage('{"v":1,"type":"phase","phase":"nap"}')).toEqual({
    ok: false,
    problem: 'invalid',
    detail: "'phase': phase: not one of load, compile, train, eval, save",
  });
  expect(decodeWorkerMessage('{"v":1,"type":"phase"}')).toMatchObject({ detail: "'phase': phase: missing" });
  expect(decodeSupervisorMessage('{"v":1,"type":"resume","resume":{"sequence":1.5}}')).toMatchObject({
    problem: 'invalid',
    detail: expect.stringContaining('resume.sequence'),
  });
});

test('unknown fields are dropped', () => {
  expect(decodeSupervisorMessage('{"v":1,"type":"continue","extra":{"deep":1}}')).toEqual({
    ok: true,
    message: { v: 1, type: 'continue' },
  });
});

test('a key named __proto__ becomes a plain entry and changes no prototype', () => {
  const parsed: unknown = JSON.parse('{"__proto__": 3, "a": 1}');
  const value = read(record(number(), 20), parsed);
  expect(value).not.toBeInstanceOf(Invalid);
  expect(Object.entries(value)).toEqual([
    ['__proto__', 3],
    ['a', 1],
  ]);
});

test('a message with one field replaced by anything is decoded or named, never an exception', () => {
  const damaged = WORKER_MESSAGES.map((schema) =>
    fc.tuple(valuesOf(schema), fc.constantFrom(...Object.keys(schema.fields)), fc.jsonValue()),
  );
  fc.assert(
    fc.property(fc.oneof(...damaged), ([message, field, junk]) => {
      const line = JSON.stringify({ ...Object(message), [field]: junk });
      const decoded = decodeWorkerMessage(line);
      if (decoded.ok) expect(decoded.message).toMatchObject({ v: 1 });
      else expect(decoded.detail.length).toBeLessThan(400);
    }),
    { numRuns: 1000 },
  );
});
