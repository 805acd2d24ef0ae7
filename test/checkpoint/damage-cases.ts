/** Every way in which a checkpoint was ever found damaged, on purpose. */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { CHUNK_BYTES, digestOf } from '../../src/checkpoint/digest.ts';
import { encodeManifest } from '../../src/checkpoint/manifest.ts';
import type { Committed, Damage, Manifest, TensorSpec, VerificationLevel } from '../../src/checkpoint/types.ts';

/** Three chunks: `first` ends in the second, `second` begins there. */
export const TENSORS: readonly TensorSpec[] = [
  { name: 'first', dtype: 'F32', shape: [2_500_000] },
  { name: 'second', dtype: 'F32', shape: [2_500_000] },
];
export const FILE = 'tensors.safetensors';

export function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
  writeFileSync(path, bytes);
}

/** Replaces header and manifest so that every digest is right: only the header's own words are wrong. */
function lie(path: string, manifest: Manifest, header: string): void {
  const file = join(path, FILE);
  const old = readFileSync(file);
  const data = old.subarray(8 + Number(old.readBigUInt64LE(0)));
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  rewrite(path, manifest, Buffer.concat([length, json, data]));
}

function rewrite(path: string, manifest: Manifest, bytes: Buffer): void {
  writeFileSync(join(path, FILE), bytes);
  const chunks = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) chunks.push(digestOf(bytes.subarray(at, at + CHUNK_BYTES)));
  const { digest: _, ...rest } = manifest;
  const files = { ...manifest.files, [FILE]: { bytes: bytes.length, chunks } };
  writeFileSync(join(path, 'manifest.json'), encodeManifest({ ...rest, files }).text);
}

const header = (first: [number, number], second: [number, number], more = ''): string =>
  JSON.stringify({
    first: { dtype: 'F32', shape: [2_500_000], data_offsets: first },
    second: { dtype: 'F32', shape: [2_500_000], data_offsets: second },
  }).replace(/\}$/, `${more}}`);
const END = 20_000_000;

interface Case {
  readonly name: string;
  readonly make: (committed: Committed) => void;
  /** Lowest level that finds it. */
  readonly level: VerificationLevel;
  readonly damage: Partial<Damage> | object;
}

const at = (committed: Committed, name = FILE): string => join(committed.path, name);

export const CASES: readonly Case[] = [
  {
    name: 'a flipped byte',
    make: (committed) => flip(at(committed), CHUNK_BYTES + 5),
    level: 1,
    damage: { file: FILE, chunk: 1, tensors: ['first', 'second'] },
  },
  {
    name: 'a flipped byte in the last chunk',
    make: (committed) => flip(at(committed), 2 * CHUNK_BYTES + 5),
    level: 1,
    damage: { file: FILE, chunk: 2, tensors: ['second'] },
  },
  {
    name: 'a flipped byte in the header',
    make: (committed) => flip(at(committed), 20),
    level: 1,
    damage: { file: FILE, chunk: 0, tensors: ['first'] },
  },
  {
    name: 'a flipped byte in the state',
    make: (committed) => flip(at(committed, 'state.json'), 2),
    level: 1,
    damage: { file: 'state.json', chunk: 0, tensors: [] },
  },
  {
    name: 'a truncation',
    make: (committed) => truncateSync(at(committed), 2 * CHUNK_BYTES + 100),
    level: 0,
    damage: { file: FILE, chunk: 2, tensors: ['second'] },
  },
  {
    name: 'a truncation to nothing',
    make: (committed) => truncateSync(at(committed), 0),
    level: 0,
    damage: { file: FILE, chunk: 0, tensors: ['first', 'second'] },
  },
  {
    name: 'an extension',
    make: (committed) => writeFileSync(at(committed), Buffer.alloc(1), { flag: 'a' }),
    level: 0,
    damage: { file: FILE, reason: expect.stringContaining('instead of') },
  },
  ...[FILE, 'state.json', 'manifest.json'].map((file) => ({
    name: `a missing ${file}`,
    make: (committed: Committed) => rmSync(at(committed, file)),
    level: 0 as const,
    damage: { file, reason: 'the file is missing' },
  })),
  {
    name: 'swapped files',
    make: (committed) => {
      renameSync(at(committed), at(committed, 'x'));
      renameSync(at(committed, 'state.json'), at(committed));
      renameSync(at(committed, 'x'), at(committed, 'state.json'));
    },
    level: 0,
    damage: { file: FILE },
  },
  {
    name: 'a manifest of another session',
    make: ({ path, manifest: { digest: _, ...rest } }) =>
      writeFileSync(join(path, 'manifest.json'), encodeManifest({ ...rest, session: 'other' }).text),
    level: 0,
    damage: { file: 'manifest.json', reason: expect.stringContaining('belongs to session other') },
  },
  {
    name: 'an empty manifest',
    make: (committed) => truncateSync(at(committed, 'manifest.json'), 0),
    level: 0,
    damage: { file: 'manifest.json', reason: 'the manifest is empty' },
  },
  {
    name: 'a huge manifest',
    make: (committed) => truncateSync(at(committed, 'manifest.json'), 2 ** 33),
    level: 0,
    damage: { file: 'manifest.json', reason: 'the manifest has 8589934592 bytes' },
  },
  {
    name: 'a flipped byte in the manifest',
    make: (committed) => flip(at(committed, 'manifest.json'), 60),
    level: 0,
    damage: { file: 'manifest.json' },
  },
  {
    name: 'a flipped version in the manifest',
    make: (committed) => {
      const text = readFileSync(at(committed, 'manifest.json'), 'utf8');
      writeFileSync(at(committed, 'manifest.json'), text.replace('"version":1', '"version":3'));
    },
    level: 0,
    damage: { file: 'manifest.json', reason: 'the manifest does not match its own digest' },
  },
  {
    name: 'a manifest from nowhere',
    make: (committed) => writeFileSync(at(committed, 'manifest.json'), '{"format":"else"}'),
    level: 0,
    damage: { file: 'manifest.json' },
  },
  {
    name: 'a symlink in place of a file',
    make: (committed) => {
      renameSync(at(committed), join(committed.path, '../elsewhere'));
      symlinkSync('../elsewhere', at(committed));
    },
    level: 0,
    damage: { file: FILE, reason: 'a symbolic link stands in place of the file' },
  },
  {
    name: 'a symlink in place of the manifest',
    make: (committed) => {
      renameSync(at(committed, 'manifest.json'), join(committed.path, '../elsewhere'));
      symlinkSync('../elsewhere', at(committed, 'manifest.json'));
    },
    level: 0,
    damage: { file: 'manifest.json', reason: 'a symbolic link stands in place of the file' },
  },
  {
    name: 'a symlink in place of the directory',
    make: ({ path }) => {
      renameSync(path, join(path, '../elsewhere'));
      symlinkSync('elsewhere', path);
    },
    level: 0,
    damage: { file: null, reason: 'a symbolic link stands in place of the directory' },
  },
  {
    name: 'a file in place of the directory',
    make: ({ path }) => {
      rmSync(path, { recursive: true });
      writeFileSync(path, 'x');
    },
    level: 0,
    damage: { file: null },
  },
  {
    name: 'a directory in place of a file',
    make: (committed) => {
      rmSync(at(committed));
      mkdirSync(at(committed));
    },
    level: 0,
    damage: { file: FILE, reason: 'a directory stands in place of the file' },
  },
  ...(
    [
      ['negative offsets', header([-8, END / 2], [END / 2, END])],
      ['overlapping tensors', header([0, END / 2], [END / 2 - 4, END - 4])],
      ['a gap', header([0, END / 2], [END / 2 + 4, END + 4])],
      ['offsets past the end', header([0, END / 2], [END, END + END / 2])],
      ['an offset of 2^53', header([0, 2 ** 53], [END / 2, END])],
      ['an end before the beginning', header([END / 2, 0], [END / 2, END])],
      [
        'a shape beyond counting',
        header([0, END / 2], [END / 2, END]).replace('[2500000]', '[9007199254740991,9007199254740991]'),
      ],
      ['an unknown dtype', header([0, END / 2], [END / 2, END]).replace('F32', 'F33')],
      [
        'a tensor twice',
        header(
          [0, END / 2],
          [END / 2, END],
          ',"second":{"dtype":"F32","shape":[2500000],"data_offsets":[10000000,20000000]}',
        ),
      ],
      [
        'a tensor that the manifest lacks',
        header([0, END / 2], [END / 2, END], ',"third":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'),
      ],
      ['another shape', header([0, END / 2], [END / 2, END]).replace('[2500000]', '[2500,1000]')],
      ['no JSON', '{"first":'],
      ['an array', '[]'],
    ] as const
  ).map(([name, text]) => ({
    name: `a header that lies: ${name}`,
    make: ({ path, manifest }: Committed) => lie(path, manifest, text),
    level: 2 as const,
    damage: { file: FILE, chunk: 0 },
  })),
  ...([2n ** 63n, 99_000_000n, 1n, 0n] as const).map((claim) => ({
    name: `a header length of ${claim}`,
    make: ({ path, manifest }: Committed) => {
      const bytes = readFileSync(join(path, FILE));
      bytes.writeBigUInt64LE(claim);
      rewrite(path, manifest, bytes);
    },
    level: 2 as const,
    damage: { file: FILE, chunk: 0, reason: expect.stringContaining('the header claims') },
  })),
  {
    name: 'values that changed under right chunk digests',
    make: ({ path, manifest }) => {
      const bytes = readFileSync(join(path, FILE));
      bytes.writeFloatLE(0.25, bytes.length - 8);
      rewrite(path, manifest, bytes);
    },
    level: 2,
    damage: { file: FILE, tensors: ['second'], reason: 'tensor "second" does not match its digest' },
  },
];
