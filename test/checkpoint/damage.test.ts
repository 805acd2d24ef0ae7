import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseCheckpoint } from '../../src/checkpoint/choose.ts';
import { CHUNK_BYTES, digestOf } from '../../src/checkpoint/digest.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { encodeManifest, readManifest } from '../../src/checkpoint/manifest.ts';
import { openCheckpoint } from '../../src/checkpoint/open.ts';
import { listQuarantine } from '../../src/checkpoint/quarantine.ts';
import type { Committed, Damage, Manifest, TensorSpec, VerificationLevel } from '../../src/checkpoint/types.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import { systemError, watchedFiles } from './faulty-files.ts';
import { claimed, rejection, SESSION, save, temporaryLayout } from './store.ts';

/** Three chunks: `first` ends in the second, `second` begins there. */
const TENSORS: readonly TensorSpec[] = [
  { name: 'first', dtype: 'F32', shape: [2_500_000] },
  { name: 'second', dtype: 'F32', shape: [2_500_000] },
];
const FILE = 'tensors.safetensors';

function flip(path: string, at: number): void {
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

const CASES: readonly Case[] = [
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

test.each(CASES)(
  '$name is found from level $level on, named, quarantined, and never loaded',
  async ({ make, level, damage }) => {
    const layout = temporaryLayout();
    const claim = await claimed(layout);
    const good = await save({ layout, claim, step: 1 });
    const committed = await save({ layout, claim, step: 2, tensors: TENSORS });
    make(committed);
    const verify = (at: VerificationLevel) =>
      verifyCheckpoint(nodeFiles, committed.path, { session: SESSION, level: at });
    for (const one of [0, 1, 2] as const) {
      const verdict = await verify(one);
      if (one < level) expect(verdict.status).toBe('verified');
      else
        expect(verdict).toMatchObject({
          status: 'damaged',
          damages: expect.arrayContaining([expect.objectContaining(damage)]),
        });
    }
    const loading = (async () => {
      const opened = await openCheckpoint(nodeFiles, committed.path, SESSION);
      try {
        await opened.state();
        for await (const { bytes } of opened.tensors()) expect(bytes).toBeDefined();
      } finally {
        await opened.close();
      }
    })();
    // Only the second digest of values, those of the chunks, is not looked at when loading: the tensors' are.
    expect(await rejection(loading)).toMatchObject({ code: 'checkpoint-damaged' });

    const looked = await chooseCheckpoint(nodeFiles, { layout, setAside: new Set(), quarantine: false });
    expect(looked.chosen?.path).toBe(good.path);
    expect(readdirSync(layout.directory)).toContain(basename(committed.path));
    const choice = await chooseCheckpoint(nodeFiles, { layout, setAside: new Set(), quarantine: true });
    expect(choice.chosen?.path).toBe(good.path);
    expect(choice.candidates.map(({ verdict }) => verdict)).toEqual(['damaged', 'chosen']);
    expect(choice.candidates[0]?.quarantinedTo).toContain('.quarantine');
    expect(readdirSync(layout.directory)).not.toContain(basename(committed.path));
    const [held] = await listQuarantine(nodeFiles, layout);
    expect(held).toMatchObject({ path: choice.candidates[0]?.quarantinedTo });
    expect(choice.candidates[0]?.reason).toContain(held?.reason);
  },
);

test('every single byte of a manifest is guarded', async () => {
  const layout = temporaryLayout();
  const { path } = await save({ layout, claim: await claimed(layout), step: 1 });
  const bytes = readFileSync(join(path, 'manifest.json'));
  expect(readManifest(bytes).status).toBe('ok');
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const broken = Buffer.from(bytes);
      broken.writeUInt8(broken.readUInt8(at) ^ (1 << bit), at);
      expect([at, bit, readManifest(broken).status]).toEqual([at, bit, 'damaged']);
    }
  }
});

test.each(['F32', 'C64', 'F64', 'F16', 'BF16'] as const)(
  'a value of %s that is not finite is found, wherever it lies',
  async (dtype) => {
    const layout = temporaryLayout();
    const claim = await claimed(layout);
    const size = { F16: 2, BF16: 2, F32: 4, C64: 8, F64: 8 }[dtype];
    const infinity = {
      F16: [0, 0x7c],
      BF16: [0x80, 0x7f],
      F32: [0, 0, 0x80, 0xff],
      // The imaginary part.
      C64: [0, 0, 0, 0, 0, 0, 0x80, 0x7f],
      F64: [0, 0, 0, 0, 0, 0, 0xf0, 0x7f],
    }[dtype];
    // One odd byte before it: no element is aligned, and one lies across the border of the first chunk.
    const elements = (CHUNK_BYTES + 1024) / size;
    const tensors: TensorSpec[] = [
      { name: 'odd', dtype: 'U8', shape: [1] },
      { name: 'values', dtype, shape: [elements] },
    ];
    for (const element of [0, Math.floor((CHUNK_BYTES - 300) / size), elements - 1]) {
      const bytes = new Uint8Array(1 + elements * size);
      bytes.set(infinity, 1 + element * size);
      const { path } = await save({ layout, claim, step: 1, tensors, bytes });
      expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 1 })).toMatchObject({
        status: 'verified',
      });
      expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({
        status: 'damaged',
        damages: [{ file: FILE, tensors: ['values'], reason: 'tensor "values" holds values that are NaN or infinite' }],
      });
      const allowed = tensors.map((tensor) => ({ ...tensor, mayBeNonFinite: true }));
      const other = await save({ layout, claim, step: 1, tensors: allowed, bytes });
      expect(await verifyCheckpoint(nodeFiles, other.path, { session: SESSION, level: 2 })).toMatchObject({
        status: 'verified',
      });
    }
  },
);

test('a file that the manifest does not name takes nothing from the checkpoint', async () => {
  const layout = temporaryLayout();
  const { path } = await save({ layout, claim: await claimed(layout), step: 1 });
  writeFileSync(join(path, '.DS_Store'), 'left by a desktop');
  const choice = await chooseCheckpoint(nodeFiles, { layout, setAside: new Set(), quarantine: true });
  expect(choice.chosen?.path).toBe(path);
  expect(await rejection(openCheckpoint(nodeFiles, path, 'another session'))).toMatchObject({
    code: 'checkpoint-damaged',
  });
  await (await openCheckpoint(nodeFiles, path, SESSION)).close();
});

test.each(['manifest.json', 'state.json', FILE])('a pipe in place of %s is found and holds nobody', async (name) => {
  const layout = temporaryLayout();
  const { path } = await save({ layout, claim: await claimed(layout), step: 1 });
  rmSync(join(path, name));
  execFileSync('mkfifo', [join(path, name)]);
  const choice = await chooseCheckpoint(nodeFiles, { layout, setAside: new Set(), quarantine: true });
  expect(choice).toMatchObject({ chosen: null, candidates: [{ verdict: 'damaged' }] });
  expect(choice.candidates[0]?.reason).toContain(`${name}: something else stands in place of the file`);
});

test('every element across the border of two chunks is looked at', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const tensors: TensorSpec[] = [
    { name: 'odd', dtype: 'U8', shape: [1] },
    { name: 'values', dtype: 'F64', shape: [CHUNK_BYTES / 8] },
  ];
  // 8 bytes length + header, then the odd byte: find the element that begins in chunk 0 and ends in chunk 1.
  const probe = await save({ layout, claim, step: 0, tensors });
  const start = (probe.manifest.files[FILE]?.bytes ?? 0) - CHUNK_BYTES;
  const element = Math.floor((CHUNK_BYTES - start) / 8);
  const bytes = new Uint8Array(1 + CHUNK_BYTES);
  bytes.set([0xf0, 0x7f], 1 + element * 8 + 6);
  const { path } = await save({ layout, claim, step: 1, tensors, bytes });
  expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({ status: 'damaged' });
});

test('a newer format is told apart, passed over and left where it is', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  await save({ layout, claim, step: 1 });
  const { path } = await save({ layout, claim, step: 2 });
  writeFileSync(join(path, 'manifest.json'), '{"format":"nkat-checkpoint","version":2,"all":"else"}');
  expect(await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 })).toMatchObject({
    status: 'newer-format',
    version: 2,
  });
  expect(await rejection(openCheckpoint(nodeFiles, path, SESSION))).toMatchObject({ code: 'format-newer' });
  const choice = await chooseCheckpoint(nodeFiles, { layout, setAside: new Set(), quarantine: true });
  expect(choice.candidates.map(({ verdict }) => verdict)).toEqual(['newer-format', 'chosen']);
  expect(readdirSync(layout.directory)).toContain(basename(path));
});

test('unknown fields of this version are kept', async () => {
  const layout = temporaryLayout();
  const { path, manifest } = await save({ layout, claim: await claimed(layout), step: 1 });
  const { digest: _, ...rest } = manifest;
  writeFileSync(join(path, 'manifest.json'), encodeManifest(Object.assign(rest, { later: { a: 1 } })).text);
  const verdict = await verifyCheckpoint(nodeFiles, path, { session: SESSION, level: 2 });
  expect(verdict).toMatchObject({ status: 'verified', manifest: { later: { a: 1 } } });
});

test.each(['EIO', 'EMFILE', 'EACCES'])(
  '%s at any look means unreadable, never damaged, and moves nothing',
  async (errno) => {
    const layout = temporaryLayout();
    const claim = await claimed(layout);
    const { path } = await save({ layout, claim, step: 1 });
    const counting = watchedFiles(nodeFiles, () => {});
    await verifyCheckpoint(counting, path, { session: SESSION, level: 2 });
    for (let which = 0; which < counting.log.length; which++) {
      const files = watchedFiles(nodeFiles, (_, number) => {
        if (number === which) throw systemError(errno);
      });
      expect(await verifyCheckpoint(files, path, { session: SESSION, level: 2 })).toMatchObject({
        status: 'unreadable',
        errno,
      });
    }
    const files: StoreFiles = watchedFiles(nodeFiles, ({ name, path: p }) => {
      if (name === 'read' && p.endsWith(FILE)) throw systemError(errno);
    });
    const choice = await chooseCheckpoint(files, { layout, setAside: new Set(), quarantine: true });
    expect(choice).toMatchObject({ chosen: null, candidates: [{ verdict: 'unreadable', quarantinedTo: null }] });
    expect(readdirSync(layout.directory)).toContain(basename(path));
  },
);

test('a checkpoint that vanished, also while it is looked at, is gone and not damaged', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const vanishing = await save({ layout, claim, step: 1 });
  const counting = watchedFiles(nodeFiles, () => {});
  await verifyCheckpoint(counting, vanishing.path, { session: SESSION, level: 2 });
  for (let which = 0; which < counting.log.length; which++) {
    const { path } = await save({ layout, claim, step: 1 });
    const files = watchedFiles(nodeFiles, (_, number) => {
      if (number === which) rmSync(path, { recursive: true });
    });
    const { status } = await verifyCheckpoint(files, path, { session: SESSION, level: 2 });
    // A file that is open stays readable; the verdict on what is gone does not matter then, but it is never damage.
    expect(status === 'gone' || (status === 'verified' && which > 0)).toBe(true);
  }
  rmSync(vanishing.path, { recursive: true });
  expect(await rejection(openCheckpoint(nodeFiles, vanishing.path, SESSION))).toMatchObject({
    code: 'checkpoint-gone',
  });
});

test('a checkpoint opened before it was moved is still read whole, and damage meanwhile is caught', async () => {
  const layout = temporaryLayout();
  const claim = await claimed(layout);
  const { path } = await save({ layout, claim, step: 1 });
  copyFileSync(join(path, FILE), join(layout.directory, 'copy'));
  const opened = await openCheckpoint(nodeFiles, path, SESSION);
  renameSync(path, join(layout.directory, 'moved'));
  for await (const { bytes } of opened.tensors()) expect(bytes.length).toBeGreaterThan(0);
  flip(join(layout.directory, 'moved', FILE), 1000);
  const again = (async () => {
    for await (const { bytes } of opened.tensors()) expect(bytes.length).toBeGreaterThan(0);
  })();
  expect(await rejection(again)).toMatchObject({ code: 'checkpoint-damaged' });
  await opened.close();
});
