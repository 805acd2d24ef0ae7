import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NkatError } from '../../src/errors.ts';
import { encodeMessage, type Line, LineDecoder } from '../../src/protocol/codec.ts';
import { decodeSupervisorMessage, decodeWorkerMessage } from '../../src/protocol/decode.ts';
import {
  MAX_LINE_BYTES,
  MAX_TEXT,
  SUPERVISOR_MESSAGES,
  type SupervisorMessage,
  WORKER_MESSAGES,
  type WorkerMessage,
} from '../../src/protocol/messages.ts';
import { valuesOf } from './message-arbitraries.ts';

/** Cuts bytes at the given places, wherever they fall inside characters. */
function split(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...cuts, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : cuts[index - 1], end));
}

function decodeAll(chunks: readonly Uint8Array[]): Line[] {
  const decoder = new LineDecoder();
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

const byWorker = fc.oneof(...WORKER_MESSAGES.map((schema) => valuesOf(schema))) as fc.Arbitrary<WorkerMessage>;
const bySupervisor = fc.oneof(
  ...SUPERVISOR_MESSAGES.map((schema) => valuesOf(schema)),
) as fc.Arbitrary<SupervisorMessage>;
const places = fc.array(fc.nat(100_000), { maxLength: 40 });

describe('messages', () => {
  test('every worker message arrives as it was sent, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(byWorker, { minLength: 1, maxLength: 6 }), places, (messages, cuts) => {
        const lines = decodeAll(split(Buffer.from(messages.map(encodeMessage).join('')), cuts));
        const arrived = lines.map((line) => (line.kind === 'line' ? decodeWorkerMessage(line.text) : line));
        expect(arrived).toEqual(messages.map((message) => ({ ok: true, message })));
      }),
      { numRuns: 400 },
    );
  });

  test('every supervisor message arrives as it was sent', () => {
    fc.assert(
      fc.property(bySupervisor, (message) => {
        expect(decodeSupervisorMessage(encodeMessage(message).trimEnd())).toEqual({ ok: true, message });
      }),
      { numRuns: 400 },
    );
  });

  test('long reasons are shortened and metrics that JSON cannot carry are left out, so that the rest arrives', () => {
    const line = encodeMessage({
      v: 1,
      type: 'saved',
      state: 'durable',
      request: null,
      sequence: 1,
      step: 2,
      epoch: 0,
      kinds: ['auto'],
      reason: 'x'.repeat(MAX_TEXT * 3),
      path: '/p',
      bytes: 5,
      digest: 'd',
      metrics: { loss: Number.NaN, accuracy: 0.5 },
      parent: null,
      createdAt: 'now',
      stallMs: 0,
      writeMs: 0,
    });
    const decoded = decodeWorkerMessage(line.trimEnd());
    expect(decoded).toMatchObject({ ok: true, message: { metrics: { accuracy: 0.5 } } });
    expect(decoded.ok && decoded.message.type === 'saved' && decoded.message.reason?.length).toBe(MAX_TEXT);
    const failed = encodeMessage({ v: 1, type: 'notice', level: 'info', message: 'y'.repeat(MAX_TEXT + 1) });
    expect(decodeWorkerMessage(failed.trimEnd()).ok).toBe(true);
  });

  test('a message that does not fit a line is refused where it is sent', () => {
    const args = Array.from({ length: 20 }, () => 'é'.repeat(40_000));
    const send = () =>
      encodeMessage({
        v: 1,
        type: 'welcome',
        session: 's',
        attempt: 1,
        claim: 1,
        directory: '/d',
        backups: '/b',
        resume: null,
        policy: {
          every: 'auto',
          everySteps: null,
          everyEpochs: null,
          overhead: 0,
          asyncSave: null,
          keep: 5,
          maxBytes: null,
          best: null,
          onFullDisk: null,
          bestMinDelta: null,
        },
        keepPolicy: null,
        orphanLimitMs: null,
        requireGpu: false,
        learningRateScale: null,
        trainer: { path: '/t', args, sourceDigest: null },
      });
    expect(send).toThrow(NkatError);
  });
});

describe('lines', () => {
  test('any bytes in any splitting give the lines of the whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), places, (bytes, cuts) => {
        expect(decodeAll(split(bytes, cuts))).toEqual(decodeAll([bytes]));
        for (const line of decodeAll([bytes])) {
          if (line.kind === 'line') decodeWorkerMessage(line.text);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a line just within the limit passes; a longer one is reported once and dropped to its newline', () => {
    const fits = `${'a'.repeat(MAX_LINE_BYTES - 1)}\n`;
    const tooLong = `${'b'.repeat(MAX_LINE_BYTES * 3)}\n`;
    const chunks: Buffer[] = [];
    const all = Buffer.from(`${fits}${tooLong}after\n`);
    for (let at = 0; at < all.length; at += 65_536) chunks.push(all.subarray(at, at + 65_536));
    const lines = decodeAll(chunks);
    expect(lines.map((line) => line.kind)).toEqual(['line', 'too-long', 'line']);
    expect(lines.at(-1)).toEqual({ kind: 'line', text: 'after' });
    expect(decodeAll([all]).map((line) => line.kind)).toEqual(['line', 'too-long', 'line']);
  });

  test('bytes that are no UTF-8 are reported, the next line is read', () => {
    const bytes = Buffer.concat([Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a]), Buffer.from('next\r\n\n')]);
    expect(decodeAll([bytes])).toEqual([
      { kind: 'not-utf8', bytes: 4 },
      { kind: 'line', text: 'next' },
    ]);
  });

  test('an endless line in tiny chunks holds no more than one line in memory', () => {
    const decoder = new LineDecoder();
    const before = process.memoryUsage().arrayBuffers;
    let reports = 0;
    for (let i = 0; i < 3 * MAX_LINE_BYTES; i += 3) reports += decoder.push(Buffer.from('abc')).length;
    expect(reports).toBe(1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MAX_LINE_BYTES);
    expect(decoder.push(Buffer.from('\nok\n'))).toEqual([{ kind: 'line', text: 'ok' }]);
  });
});
