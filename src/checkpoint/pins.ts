/** Checkpoints that an operator or a reader holds: rotation leaves them alone until they are unpinned. */
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { makeDurableDirectory, PINS, type StoreLayout } from './layout.ts';
import { removeIfAny, writeNewFile } from './small-file.ts';
import { guarded } from './store-error.ts';

/** Pins a checkpoint, durably; nothing to do where it is pinned. @throws NkatError `io`, `no-space` */
export function pin(files: StoreFiles, layout: StoreLayout, sequence: number, reason: string): Promise<void> {
  const directory = join(layout.directory, PINS);
  return guarded('pin the checkpoint', directory, async () => {
    await makeDurableDirectory(files, directory);
    const text = `${JSON.stringify({ sequence, reason, at: new Date().toISOString() })}\n`;
    try {
      await writeNewFile(files, join(directory, String(sequence)), Buffer.from(text));
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    await files.syncDirectory(directory);
  });
}

/** Takes a pin away; nothing to do where there is none. @throws NkatError `io` */
export function unpin(files: StoreFiles, layout: StoreLayout, sequence: number): Promise<void> {
  const directory = join(layout.directory, PINS);
  return guarded('unpin the checkpoint', directory, () => removeIfAny(files, join(directory, String(sequence))));
}

/** Sequences of the pinned checkpoints. @throws NkatError `io` */
export function listPins(files: StoreFiles, layout: StoreLayout): Promise<number[]> {
  const directory = join(layout.directory, PINS);
  return guarded('list the pins', directory, async () => {
    try {
      return (await files.list(directory)).filter((name) => /^\d{1,15}$/.test(name)).map(Number);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw error;
    }
  });
}
