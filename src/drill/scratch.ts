/**
 * Folders in which rehearsals run. The name of each says which process made it, so that what a killed drill left, processes
 * included, is found and taken away by the next one.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreFiles } from '../checkpoint/files.ts';
import { makeDurableDirectory } from '../checkpoint/layout.ts';
import { decodeOwnerTag, isTagDead, ownerTag } from '../checkpoint/owner-tag.ts';
import { namesIfAny, removeTree } from '../checkpoint/small-file.ts';
import { guarded } from '../checkpoint/store-error.ts';
import { errnoOf } from '../errors.ts';
import { Invalid, integer, nullable, object, read, string } from '../schema.ts';
import { endWorker } from '../supervisor/end-worker.ts';
import type { OwnedGroup } from '../supervisor/process-group.ts';
import type { Cleanup } from './cleanup.ts';

const SCRATCH = /^\.?scratch-(.+)-[0-9a-f]{12}$/;
/** The processes of the rehearsal that runs in a folder. */
const GROUP_FILE = 'group.json';
/** How long is waited for a process that was killed. */
const KILL_WAIT_MS = 30_000;

const text = string(256);
const groupSchema = object({
  session: text,
  leader: object({ pid: integer(1), startTime: nullable(text), bootId: nullable(text) }),
});

/** A folder of this drill's own in `parent`, which goes with the drill. @throws NkatError `io`, `no-space` */
export async function makeScratch(files: StoreFiles, parent: string, cleanup: Cleanup): Promise<string> {
  const path = join(parent, `scratch-${ownerTag()}-${randomBytes(6).toString('hex')}`);
  await guarded('make a folder for the rehearsal', path, async () => {
    await makeDurableDirectory(files, parent);
    await files.makeDirectory(path);
  });
  await cleanup.add(() => guarded('remove the folder of the rehearsal', path, () => removeTree(files, path)));
  return path;
}

/** Ends what a rehearsal has launched, whoever asks, and however often. */
export async function endRehearsal(group: OwnedGroup): Promise<void> {
  await endWorker(group, { limitMs: KILL_WAIT_MS });
}

/** Written before anything can depend on it: the next drill ends these processes if this one is killed. */
export function noteGroup(scratch: string, { session, leader }: OwnedGroup): void {
  writeFileSync(join(scratch, GROUP_FILE), JSON.stringify({ session, leader }), { mode: 0o600 });
}

/** What dead drills left in `parent`: first their processes, then their folders. @throws NkatError `io` */
export function removeDeadScratch(files: StoreFiles, parent: string): Promise<void> {
  return guarded('clean the folders of earlier rehearsals', parent, async () => {
    for (const name of await namesIfAny(files, parent)) {
      const tag = SCRATCH.exec(name)?.[1];
      const owner = tag === undefined ? null : decodeOwnerTag(tag);
      if (owner === null || !isTagDead(owner)) continue;
      const group = groupIn(join(parent, name));
      if (group !== null) await endRehearsal(group);
      await removeTree(files, join(parent, name));
    }
  });
}

function groupIn(scratch: string): OwnedGroup | null {
  try {
    const group = read(groupSchema, JSON.parse(readFileSync(join(scratch, GROUP_FILE), 'utf8')));
    return group instanceof Invalid ? null : group;
  } catch (error) {
    // None was launched, or the note was torn: then there is no name to end anything by.
    if (errnoOf(error) === null && !(error instanceof SyntaxError)) throw error;
    return null;
  }
}
