/** Every answer of nvidia-smi in fixtures/captures is read, and gives the values that stand beside it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Header, readHeader } from '../../src/gpu/header.ts';
import { readInventory } from '../../src/gpu/inventory.ts';
import { type GpuSample, readRow } from '../../src/gpu/sample.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/captures');
const EXPECTED = '.expected.json';
const READERS: Readonly<Record<string, (text: string) => unknown>> = { csv: readRows, xml: readInventory };

const files = readdirSync(FOLDER).filter((name) => name !== 'README.md');
const captures = files.filter((name) => !name.endsWith(EXPECTED));

function readRows(text: string): { readonly cards: readonly GpuSample[] } {
  let header: Header | null = null;
  const cards: GpuSample[] = [];
  for (const line of text.split(/\r?\n/)) {
    header ??= readHeader(line);
    const sample = header === null ? null : readRow(header, line, 0);
    if (sample !== null) cards.push(sample);
  }
  return { cards };
}

it('has a capture for all values, and values for each capture', () => {
  expect(captures.length).toBeGreaterThan(0);
  expect(files.filter((name) => name.endsWith(EXPECTED)).toSorted()).toEqual(
    captures.map((name) => `${name}${EXPECTED}`).toSorted(),
  );
});

it.each(captures)('%s', (name) => {
  const read = READERS[name.split('.').at(-1) ?? ''];
  if (read === undefined) throw new Error(`${name} is neither .csv nor .xml: nobody knows how to read it`);
  const expected = JSON.parse(readFileSync(join(FOLDER, `${name}${EXPECTED}`), 'utf8')) as { cards: readonly object[] };
  const seen = read(readFileSync(join(FOLDER, name), 'utf8'));
  expect(expected.cards.length, 'values of its cards').toBeGreaterThan(0);
  expect(seen).toMatchObject(expected);
});
