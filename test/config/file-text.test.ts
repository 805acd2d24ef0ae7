/** Files that are no readable text, and any bytes whatever. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SETTING_KEYS } from '../../src/config/definitions.ts';
import { MANUAL_NAMES } from '../../src/config/file-keys.ts';
import { fileLayers } from '../../src/config/file-layers.ts';
import { NkatError } from '../../src/errors.ts';
import { FileWorld, refusalOf } from './file-world.ts';

test.each([
  [new Uint8Array([0xff, 0xfe, 0x6b, 0]), 'it is UTF-16'],
  [new Uint8Array([0x6b, 0x3a, 0x20, 0xff, 0xc0]), 'line 1 has bytes that are no UTF-8 text'],
  [Buffer.from('keep: 1\n\u0000\u0001\u0002'), 'line 2 has bytes that are no UTF-8 text'],
  [Buffer.from('\u007fELF\u0002\u0001\u0001\u0000\u0000'), 'it is no text'],
  [Buffer.alloc(2 ** 20 + 1, 0x23), 'it is larger than 64 KiB'],
])('bytes that are no text are refused: %#', async (bytes, words) => {
  expect(await refusalOf(bytes)).toContain(words);
});

test('a folder, a pipe and a link to nothing are refused, and none of them is waited for', async () => {
  const folder = new FileWorld();
  mkdirSync(folder.main);
  expect((await folder.refusal()).words).toBe('it is a folder: nkat-recover.yaml');
  const pipe = new FileWorld();
  execFileSync('mkfifo', [pipe.main]);
  expect((await pipe.refusal()).words).toBe('it is not a regular file: nkat-recover.yaml');
  const link = new FileWorld();
  symlinkSync(link.path('nowhere.yaml'), link.main);
  expect((await link.refusal()).words).toBe('there is no such file: nkat-recover.yaml');
  const circle = new FileWorld();
  symlinkSync(circle.main, circle.main);
  expect((await circle.refusal()).words).toBe('it is a link that leads to itself: nkat-recover.yaml');
});

test('a file that may not be read is refused, not passed over', async () => {
  const world = new FileWorld().write('nkat-recover.yaml', 'keep: 1');
  chmodSync(world.main, 0);
  // Nothing is forbidden to root, so root is nobody for the length of this read.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    expect((await world.refusal()).words).toBe('it may not be read: nkat-recover.yaml');
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

const keys = fc.constantFrom<string>(
  ...SETTING_KEYS,
  ...Object.values(MANUAL_NAMES).flat(),
  'extends',
  'profiles',
  'checkpoint',
);
const pieces = fc.oneof(
  keys,
  fc.constantFrom(
    ': ',
    ':',
    '\n',
    '\n  ',
    '\t',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '&a ',
    '*a',
    '!!',
    '? ',
    '| ',
    '> ',
    '#',
    '%',
    '---',
    '...',
    '<<',
  ),
  fc.constantFrom(
    '5',
    '-1',
    '1e400',
    '0x',
    'true',
    'off',
    'null',
    '~',
    '.nan',
    'base.yaml',
    '/dev/null',
    '\ufeff',
    '\u2028',
    '\u0085',
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);

test('any bytes and any mixture of what files hold give layers or a refusal with file and line', async () => {
  const world = new FileWorld();
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(pieces, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (content) => {
      world.write('nkat-recover.yaml', content);
      const outcome = await fileLayers(world.main, null, null).catch((error: unknown) => error);
      if (!(outcome instanceof Error)) return;
      if (!(outcome instanceof NkatError)) throw outcome;
      expect(outcome.code).toBe('configuration');
      expect(outcome.hint).toBeTruthy();
      expect(outcome.message).toMatch(
        /\.yaml:\d+:\d+|line \d+|no such file|folder|UTF-16|regular|cannot extend itself/,
      );
      expect(outcome.message).not.toMatch(/\n\s+at |TypeError|RangeError|undefined|\[object/);
    }),
    { numRuns: 500 },
  );
});
