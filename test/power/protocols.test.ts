/**
 * The harness proved: with any one guarantee of the store taken away it finds a broken promise, and with all in place none.
 * Prints the table that stands in docs/durability.md.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHUNK_BYTES } from '../../src/checkpoint/digest.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { TENSORS_FILE } from '../../src/checkpoint/manifest.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import { claimed, patterned, SESSION, save, temporaryLayout } from '../checkpoint/store.ts';
import { Acknowledged } from './acknowledged.ts';
import { BROKEN_PROTOCOLS, noFencing, verificationSkipsAChunk } from './broken-protocols.ts';
import { lookAtDisk } from './look-at-disk.ts';
import { type FileSystem, Machine } from './machine.ts';
import { cutStore } from './store-cuts.ts';
import { testWithPower } from './test-with-power.ts';

/** As many as the runs of cuts.test.ts get. */
const CUTS = 20;
const SEED = 7;
const FILE_SYSTEMS: readonly FileSystem[] = ['ext4', 'xfs'];

for (const fileSystem of FILE_SYSTEMS) {
  testWithPower(
    `on ${fileSystem} cuts find each broken protocol, and nothing in the store as it is`,
    [fileSystem],
    400_000,
    async () => {
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nkat-power-')));
      const machine = await Machine.make(folder, fileSystem);
      try {
        const asItIs = await cutStore({ machine, broken: null, cuts: CUTS, seed: SEED });
        expect(asItIs.violations).toEqual([]);
        expect(asItIs.insideACommit).toBeGreaterThan(0);
        const rows = [`| nothing | ${fileSystem} | ${CUTS} | |`];
        const found: Record<string, string | undefined> = {};
        for (const broken of BROKEN_PROTOCOLS) {
          const { violations, cuts } = await cutStore({ machine, broken, cuts: CUTS, seed: SEED });
          const [first] = violations;
          found[broken.name] = first?.invariant;
          const words = first?.detail.replace(/\/\S*\//, '').replaceAll(`${SESSION}_`, '');
          rows.push(`| ${broken.name} | ${fileSystem} | ${cuts} | ${first?.invariant}: ${words} |`);
        }
        console.log(rows.join('\n'));
        expect(found).toEqual(Object.fromEntries(BROKEN_PROTOCOLS.map(({ name, breaks }) => [name, breaks])));
      } finally {
        await machine.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
}

test('a verification that skips a chunk calls a checkpoint whole in which one byte was flipped', async () => {
  const verdictThrough = async (files: StoreFiles): Promise<string> => {
    const layout = temporaryLayout();
    // Two chunks; the second one short.
    const tensors = [{ name: 'weights', dtype: 'F32', shape: [CHUNK_BYTES / 4 + 1000] }] as const;
    const claim = await claimed(layout);
    const bytes = patterned(CHUNK_BYTES + 4000, 1);
    const { path } = await save({ layout, claim, step: 1, tensors, bytes, files });
    await flipByte(join(path, TENSORS_FILE), CHUNK_BYTES + 100);
    return (await verifyCheckpoint(files, path, { session: SESSION, level: 2 })).status;
  };
  expect(await verdictThrough(nodeFiles)).toBe('damaged');
  expect(await verdictThrough(verificationSkipsAChunk(nodeFiles, CHUNK_BYTES))).toBe('verified');
});

test('without fencing an owner that was superseded commits after the one that took over', async () => {
  const brokenPromises = async (files: StoreFiles): Promise<string[]> => {
    const layout = temporaryLayout();
    const claim = await claimed(layout, files);
    await save({ layout, claim: await claimed(layout), step: 1 });
    await save({ layout, claim, step: 2, files }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'fenced' });
    });
    const { violations } = await lookAtDisk({
      directory: layout.directory,
      session: SESSION,
      acknowledged: new Acknowledged(),
      keep: 9,
      knows: () => null,
    });
    return violations.map(({ invariant }) => invariant);
  };
  expect(await brokenPromises(nodeFiles)).toEqual([]);
  expect(await brokenPromises(noFencing(nodeFiles))).toEqual(['one-owner']);
});

async function flipByte(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte.writeUInt8(byte.readUInt8() ^ 1);
    await file.write(byte, 0, 1, position);
    await file.sync();
  } finally {
    await file.close();
  }
}
