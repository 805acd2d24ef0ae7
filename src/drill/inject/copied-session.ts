/** A copy of a session's newest checkpoints that a drill may break: the originals are only read. */

import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreFiles } from '../../checkpoint/files.ts';
import { backupName, checkpointName, type StoreLayout, storeLayout } from '../../checkpoint/layout.ts';
import { guarded } from '../../checkpoint/store-error.ts';
import type { CheckpointEntry } from '../../checkpoint/types.ts';
import { errnoOf, NkatError } from '../../errors.ts';
import { aboutBytes } from '../../units.ts';
import type { Cleanup } from '../cleanup.ts';
import { Holding } from '../holding.ts';
import { makeScratch } from '../scratch.ts';

/** The newest, so that there is one to fall back to and one behind that. */
const COPIED = 3;
/** No reflinks: another file system, or one that has none. */
const NO_REFLINK: ReadonlySet<string> = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY']);

export interface CopyRequest {
  readonly layout: StoreLayout;
  readonly scratchParent: string;
  readonly cleanup: Cleanup;
  readonly onProgress: (text: string) => void;
}

export interface CopiedSession {
  readonly layout: StoreLayout;
  readonly warnings: readonly string[];
}

/** @throws NkatError `io`, `no-space` where the copy would not fit */
export async function copySession(files: StoreFiles, request: CopyRequest): Promise<CopiedSession> {
  const { layout, cleanup } = request;
  const holding = new Holding(files, layout, cleanup);
  await holding.removeDead();
  const entries = await holding.holdListed();
  const own = entries.filter(({ place }) => place === 'session');
  const copied = [...own.slice(0, COPIED), ...entries.filter(({ place }) => place === 'backup').slice(0, 1)];
  const scratch = await makeScratch(files, request.scratchParent, cleanup);
  const copy = storeLayout(join(scratch, 'checkpoints'), join(scratch, 'backups'), layout.session);
  const copier = new Copier(files, await bytesOf(files, copied), scratch);
  await guarded('copy the session for the drill', copy.directory, async () => {
    for (const folder of ['checkpoints', 'backups']) await files.makeDirectory(join(scratch, folder));
    for (const folder of [copy.directory, copy.backups]) await files.makeDirectory(folder);
    for (const entry of copied) {
      cleanup.goOn();
      request.onProgress(`copying checkpoint ${entry.sequence}`);
      await copier.copyFolder(files, entry.path, join(placeOf(entry, copy), nameOf(entry, copy)));
    }
  });
  const left = own.length - COPIED;
  return {
    layout: copy,
    warnings: [
      ...(holding.warning === null ? [] : [holding.warning]),
      ...(left > 0 ? [`only the newest ${COPIED} of ${own.length} checkpoints were copied and broken`] : []),
    ],
  };
}

function placeOf({ place }: CheckpointEntry, copy: StoreLayout): string {
  return place === 'backup' ? copy.backups : copy.directory;
}

function nameOf({ place, step, sequence }: CheckpointEntry, { session }: StoreLayout): string {
  return place === 'backup' ? backupName(step ?? 0, sequence) : checkpointName(session, step ?? 0, sequence);
}

async function bytesOf(files: StoreFiles, entries: readonly CheckpointEntry[]): Promise<number> {
  let bytes = 0;
  for (const { path } of entries) {
    for (const name of await files.list(path)) bytes += (await files.facts(join(path, name))).bytes;
  }
  return bytes;
}

class Copier {
  readonly #files: StoreFiles;
  readonly #bytes: number;
  readonly #target: string;
  #hasReflinks = true;

  constructor(files: StoreFiles, bytes: number, target: string) {
    this.#files = files;
    this.#bytes = bytes;
    this.#target = target;
  }

  async copyFolder(files: StoreFiles, from: string, to: string): Promise<void> {
    await files.makeDirectory(to);
    for (const name of await files.list(from)) {
      if ((await files.facts(join(from, name))).kind === 'file') await this.#copy(join(from, name), join(to, name));
    }
  }

  async #copy(from: string, to: string): Promise<void> {
    if (this.#hasReflinks) {
      try {
        await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
        return;
      } catch (error) {
        if (!NO_REFLINK.has(errnoOf(error) ?? '')) throw error;
        this.#hasReflinks = false;
        await this.#refuseTooLarge();
      }
    }
    await copyFile(from, to);
  }

  /** Nobody's training is to run out of room for a rehearsal: as much again stays free. */
  async #refuseTooLarge(): Promise<void> {
    const free = await this.#files.freeBytes(this.#target);
    if (free >= 2 * this.#bytes) return;
    const words = `the copy to be broken takes ${aboutBytes(this.#bytes)}, and ${aboutBytes(free)} are free`;
    throw new NkatError(words, {
      code: 'no-space',
      operation: 'copy the session for the drill',
      path: this.#target,
      hint: 'A copy needs twice its room where the file system has no reflinks (XFS and Btrfs have them).',
    });
  }
}
