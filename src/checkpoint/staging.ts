/**
 * Directories in which a commit is made. Their name says which sequence and whose: only the dead one's are removed.
 */
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { STAGING } from './layout.ts';
import { decodeOwnerTag, isTagDead, ownerTag } from './owner-tag.ts';
import { namesIfAny, removeTree } from './small-file.ts';

/** Makes a staging directory of this process for the sequence, or for the next free one. */
export async function makeStaging(
  files: StoreFiles,
  staging: string,
  sequence: number,
): Promise<{ readonly path: string; readonly sequence: number }> {
  for (let next = sequence; ; next++) {
    const path = join(staging, `commit_${next}_${ownerTag()}`);
    try {
      await files.makeDirectory(path);
      return { path, sequence: next };
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
}

/** Removes what dead processes left in `<directory>/.staging`; a missing one is empty. */
export async function cleanStaging(files: StoreFiles, directory: string): Promise<void> {
  const staging = join(directory, STAGING);
  const names = await namesIfAny(files, staging);
  for (const name of names) {
    const tag = /^commit_\d+_(.+)$/.exec(name)?.[1];
    const owner = tag === undefined ? null : decodeOwnerTag(tag);
    if (owner !== null && isTagDead(owner)) await removeTree(files, join(staging, name));
  }
}

/** Gives a finished staging directory its name. False when the name is taken. */
export async function publishStaging(files: StoreFiles, staging: string, path: string): Promise<boolean> {
  try {
    await files.facts(path);
    return false;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  try {
    await files.rename(staging, path);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOTEMPTY' || errno === 'EEXIST' || errno === 'ENOTDIR') return false;
    throw error;
  }
}
