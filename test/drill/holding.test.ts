/** What a drill reads is held against rotation by pins, as far as the folder takes any. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import type { StoreLayout } from '../../src/checkpoint/layout.ts';
import { hold, listPins, pin } from '../../src/checkpoint/pins.ts';
import { Cleanup } from '../../src/drill/cleanup.ts';
import { examine } from '../../src/drill/integrity.ts';
import { DrilledWorld, folderOf } from './drilled-world.ts';

const A = '20261122_120000_aaaa';

function levelTwo(layout: StoreLayout, cleanup: Cleanup): Parameters<typeof examine>[1] {
  return {
    layout,
    level: 2,
    setAside: new Set(),
    quarantine: false,
    versions: {},
    nowMs: () => performance.now(),
    cleanup,
    onProgress: () => undefined,
  };
}

test('pins: those of an operator stay, what a killed drill left goes, those of the living count', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [{ step: 10 }, { step: 20 }]);
  await pin(nodeFiles, layout, 1, 'kept by hand');
  const letGo = await hold(nodeFiles, layout, 2, 'held by this test');
  const pins = join(layout.directory, '.pins');
  const ours = readdirSync(pins).find((name) => name.startsWith('2.held_')) ?? '';
  const dead = ours.replace(/held_\d+_/, 'held_999999999_').replace(/^2/, '1');
  writeFileSync(join(pins, dead), '{}');
  expect((await listPins(nodeFiles, layout)).sort()).toEqual([1, 2]);
  rmSync(join(pins, '1'));
  expect(await listPins(nodeFiles, layout)).toEqual([2]);
  expect((await world.drill()).code).toBe(0);
  expect(readdirSync(pins)).toEqual([ours]);
  await letGo();
  expect(readdirSync(pins)).toEqual([]);
});

test('a folder that may only be read is drilled all the same, and that is said', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [{ step: 10 }]);
  const readOnly = (): Promise<never> => Promise.reject(Object.assign(new Error('read-only'), { code: 'EROFS' }));
  const files: StoreFiles = {
    ...nodeFiles,
    makeDirectory: readOnly,
    syncDirectory: readOnly,
    open: (path, mode, direct) => (mode === 'read' ? nodeFiles.open(path, mode, direct) : readOnly()),
    unlink: readOnly,
  };
  const cleanup = new Cleanup();
  const { choice, warnings } = await examine(files, levelTwo(layout, cleanup));
  expect(choice.chosen?.manifest.sequence).toBe(1);
  expect(warnings).toEqual([expect.stringContaining('nothing could be held')]);
  await cleanup.close((error) => expect(error).toBeUndefined());
});

test('rotation leaves alone what a drill reads, and what goes meanwhile is left out', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [{ step: 10 }, { step: 20 }, { step: 30 }]);
  const gone = folderOf(layout, 1);
  // Before the first one is read back, a trainer has rotated another away; what it would take next is held.
  let held: number[] = [];
  const files: StoreFiles = {
    ...nodeFiles,
    open: async (path, mode, direct) => {
      if (held.length === 0 && path.endsWith('tensors.safetensors')) {
        held = await listPins(nodeFiles, layout);
        rmSync(gone, { recursive: true });
      }
      return nodeFiles.open(path, mode, direct);
    },
  };
  const cleanup = new Cleanup();
  const { choice, checkpoints } = await examine(files, levelTwo(layout, cleanup));
  expect(held.sort()).toEqual([1, 2, 3]);
  expect(choice.chosen?.manifest.sequence).toBe(3);
  expect(checkpoints.map(({ sequence, ok }) => [sequence, ok])).toEqual([
    [3, true],
    [2, true],
  ]);
  await cleanup.close((error) => expect(error).toBeUndefined());
  expect(await listPins(nodeFiles, layout)).toEqual([]);
});

test('where rotation is faster than the drill can hold what it listed, it lists again', async () => {
  const world = new DrilledWorld();
  const layout = await world.add(A, [{ step: 10 }, { step: 20 }]);
  rmSync(folderOf(layout, 1), { recursive: true });
  let isRead = false;
  let isRotated = false;
  const files: StoreFiles = {
    ...nodeFiles,
    open: async (path, mode, direct) => {
      if (!isRead && path.endsWith('tensors.safetensors')) {
        isRead = true;
        await world.save(layout, [{ step: 30 }, { step: 40 }]);
      } else if (isRead && !isRotated && mode === 'create' && path.includes('.pins')) {
        // These were listed and are not held yet.
        isRotated = true;
        await world.save(layout, [{ step: 50 }, { step: 60 }]);
        for (const sequence of [3, 4]) rmSync(folderOf(layout, sequence), { recursive: true });
      }
      return nodeFiles.open(path, mode, direct);
    },
  };
  const cleanup = new Cleanup();
  const { manifests } = await examine(files, levelTwo(layout, cleanup));
  expect(isRotated).toBe(true);
  expect(manifests.map(({ manifest }) => manifest.sequence)).toEqual([6, 5, 2]);
  await cleanup.close((error) => expect(error).toBeUndefined());
});
