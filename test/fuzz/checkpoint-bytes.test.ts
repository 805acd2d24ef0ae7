/** Bytes of a checkpoint that are not those that were written: never taken for good, never a reason to throw. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { encodeManifest, readManifest } from '../../src/checkpoint/manifest.ts';
import { openCheckpoint } from '../../src/checkpoint/open.ts';
import { headerLength, parseHeader } from '../../src/checkpoint/safetensors-header.ts';
import type { Manifest } from '../../src/checkpoint/types.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import { NkatError } from '../../src/errors.ts';
import { claimed, SESSION, save, temporaryLayout } from '../checkpoint/store.ts';
import { mutations } from './mutations.ts';
import { fuzzing, fuzzingTimeoutMs } from './runs.ts';

const FILES = ['manifest.json', 'state.json', 'tensors.safetensors'] as const;

async function checkpoint(): Promise<{ readonly path: string; readonly files: ReadonlyMap<string, Uint8Array> }> {
  const layout = temporaryLayout();
  const { path } = await save({ layout, claim: await claimed(layout), step: 7 });
  return { path, files: new Map(FILES.map((name) => [name, new Uint8Array(readFileSync(join(path, name)))])) };
}

function bytesOf(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw new Error(`no ${name}`);
  return bytes;
}

test('a manifest that is not what was written is not read as one', async () => {
  const { files } = await checkpoint();
  const original = bytesOf(files, 'manifest.json');
  fc.assert(
    fc.property(mutations, (mutate) => {
      const bytes = mutate(original);
      const read = readManifest(bytes);
      if (Buffer.compare(bytes, original) === 0) expect(read.status).toBe('ok');
      else expect(read.status).toBe('damaged');
    }),
    fuzzing(5_000),
  );
});

/** Values of a manifest that somebody changed on purpose, the digest reckoned anew. */
function changed(value: unknown, path: readonly number[], to: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined || typeof value !== 'object' || value === null) return to;
  const keys = Object.keys(value);
  const key = keys[first % Math.max(1, keys.length)];
  if (key === undefined) return to;
  const inner = changed(Reflect.get(value, key), rest, to);
  return Array.isArray(value)
    ? value.map((item, index) => (String(index) === key ? inner : item))
    : { ...value, [key]: inner };
}

test('a manifest whose words were changed, with a digest that is right, is whole in itself or refused', async () => {
  const { files } = await checkpoint();
  const read = readManifest(bytesOf(files, 'manifest.json'));
  if (read.status !== 'ok') throw new Error(read.status);
  const strange = fc.oneof(
    fc.anything(),
    fc.constantFrom(null, -1, 0.5, 1e300, Number.MAX_SAFE_INTEGER, '', '../../etc', '__proto__', 'F32', [], {}),
  );
  fc.assert(
    fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 5 }), strange, (path, to) => {
      const { digest: _, ...rest } = changed(read.manifest, path, to) as Manifest;
      let text: string;
      try {
        ({ text } = encodeManifest({ ...rest, tensors: rest.tensors ?? [] }));
      } catch (error) {
        // What JSON has no words for (a bigint, a circle, no list at all) nobody can have written.
        if (error instanceof TypeError) return;
        throw error;
      }
      const outcome = readManifest(Buffer.from(text));
      if (outcome.status === 'ok') {
        const total = outcome.manifest.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(total).toBeLessThanOrEqual(outcome.manifest.files['tensors.safetensors']?.bytes ?? -1);
        for (const name of Object.keys(outcome.manifest.files)) expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
      } else if (outcome.status === 'damaged') expect(outcome.reason).not.toBe('');
    }),
    fuzzing(5_000),
  );
});

test('a header of tensors that is not what was written makes no reader throw, and fills its file or is refused', async () => {
  const { files } = await checkpoint();
  const original = bytesOf(files, 'tensors.safetensors');
  const data = original.length - 8 - Number(Buffer.from(original).readBigUInt64LE(0));
  const header = original.slice(0, original.length - data);
  fc.assert(
    fc.property(mutations, fc.nat(2 * data), (mutate, dataBytes) => {
      const bytes = mutate(header);
      const length = headerLength(bytes.subarray(0, 8), bytes.length + dataBytes);
      if (typeof length === 'string') return;
      const parsed = parseHeader(bytes.subarray(8, 8 + length), dataBytes);
      if (parsed.ok) expect(parsed.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0)).toBe(dataBytes);
      else expect(parsed.problem).not.toBe('');
    }),
    fuzzing(5_000),
  );
});

/** All that loading hands out, as text; null: it was refused. */
async function loaded(path: string): Promise<string | null> {
  try {
    const opened = await openCheckpoint(nodeFiles, path, SESSION);
    try {
      const parts = [await opened.state()];
      for await (const { name, bytes } of opened.tensors()) parts.push(name, Buffer.from(bytes).toString('hex'));
      return parts.join(' ');
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (error instanceof NkatError && /^checkpoint-(damaged|unreadable)$/.test(error.code)) return null;
    throw error;
  }
}

test(
  'a checkpoint with any of its files changed never verifies, and nothing else is loaded',
  async () => {
    const { path, files } = await checkpoint();
    const saved = await loaded(path);
    expect(saved).not.toBeNull();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...FILES), mutations, async (name, mutate) => {
        const original = bytesOf(files, name);
        const bytes = mutate(original);
        if (Buffer.compare(bytes, original) === 0) return;
        writeFileSync(join(path, name), bytes);
        try {
          const verdict = await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 1 });
          expect(verdict).toMatchObject({ status: 'damaged' });
          // Spaces of a header may differ: what is loaded are the values that were saved, or nothing.
          expect([null, saved]).toContainEqual(await loaded(path));
        } finally {
          writeFileSync(join(path, name), original);
        }
        expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({
          status: 'verified',
        });
      }),
      fuzzing(120),
    );
  },
  fuzzingTimeoutMs(300),
);
