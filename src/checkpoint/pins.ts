/**
 * Checkpoints that an operator or a reader holds: rotation leaves them alone until they are unpinned. An operator's pin is a
 * file named by its sequence and stays until it is taken away; a reader's (a drill's) names the reader too, counts only while
 * that one lives, and never stands in the way of another's.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { makeDurableDirectory, PINS, type StoreLayout } from './layout.ts';
import { decodeOwnerTag, isTagDead, ownerTag } from './owner-tag.ts';
import { namesIfAny, removeIfAny, writeNewFile } from './small-file.ts';
import { guarded } from './store-error.ts';

/** Pins a checkpoint, durably; nothing to do where it is pinned. @throws NkatError `io`, `no-space` */
export function pin(files: StoreFiles, layout: StoreLayout, sequence: number, reason: string): Promise<void> {
  return writePin(files, layout, String(sequence), sequence, reason);
}

/** Takes a pin away; nothing to do where there is none. @throws NkatError `io` */
export function unpin(files: StoreFiles, layout: StoreLayout, sequence: number): Promise<void> {
  const directory = join(layout.directory, PINS);
  return guarded('unpin the checkpoint', directory, () => removeIfAny(files, join(directory, String(sequence))));
}

/**
 * Pins a checkpoint for as long as this process lives, or until it is let go of.
 * @returns what lets go of it @throws NkatError `io`, `no-space`
 */
export async function hold(
  files: StoreFiles,
  layout: StoreLayout,
  sequence: number,
  reason: string,
): Promise<() => Promise<void>> {
  const name = `${sequence}.held_${ownerTag()}_${randomBytes(6).toString('hex')}`;
  await writePin(files, layout, name, sequence, reason);
  const directory = join(layout.directory, PINS);
  return () => guarded('unpin the checkpoint', directory, () => removeIfAny(files, join(directory, name)));
}

/** Removes what readers that died left. @throws NkatError `io` */
export function removeDeadHolds(files: StoreFiles, layout: StoreLayout): Promise<void> {
  const directory = join(layout.directory, PINS);
  return guarded('clean the pins', directory, async () => {
    for (const name of await namesIfAny(files, directory)) {
      if (pinOf(name)?.isDead === true) await removeIfAny(files, join(directory, name));
    }
  });
}

/** Sequences of the pinned checkpoints. @throws NkatError `io` */
export function listPins(files: StoreFiles, layout: StoreLayout): Promise<number[]> {
  const directory = join(layout.directory, PINS);
  return guarded('list the pins', directory, async () => {
    const pins = (await namesIfAny(files, directory)).flatMap((name) => pinOf(name) ?? []);
    return [...new Set(pins.filter(({ isDead }) => !isDead).map(({ sequence }) => sequence))];
  });
}

function writePin(
  files: StoreFiles,
  layout: StoreLayout,
  name: string,
  sequence: number,
  reason: string,
): Promise<void> {
  const directory = join(layout.directory, PINS);
  return guarded('pin the checkpoint', directory, async () => {
    await makeDurableDirectory(files, directory);
    const text = `${JSON.stringify({ sequence, reason, at: new Date().toISOString() })}\n`;
    try {
      await writeNewFile(files, join(directory, name), Buffer.from(text));
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    await files.syncDirectory(directory);
  });
}

/** Null: no pin. */
function pinOf(name: string): { readonly sequence: number; readonly isDead: boolean } | null {
  const [, digits, tag] = /^(\d{1,15})(?:\.held_(.+)_[0-9a-f]{12})?$/.exec(name) ?? [];
  if (digits === undefined) return null;
  if (tag === undefined) return { sequence: Number(digits), isDead: false };
  const owner = decodeOwnerTag(tag);
  // What cannot be read holds: to keep too much loses nothing.
  return { sequence: Number(digits), isDead: owner !== null && isTagDead(owner) };
}
