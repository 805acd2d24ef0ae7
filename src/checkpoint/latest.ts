/** `latest`: a link to the newest checkpoint for people and scripts. Nothing here ever reads it. */
import { basename, join } from 'node:path';
import { errnoOf } from '../errors.ts';
import type { StoreFiles } from './files.ts';
import { LATEST, type StoreLayout } from './layout.ts';
import { temporaryPath } from './small-file.ts';

/**
 * Points the link at a checkpoint, in one step. A file system without links, or one that fails now, leaves the
 * commit as durable as it is: this is a convenience.
 */
export async function pointLatest(files: StoreFiles, layout: StoreLayout, checkpoint: string): Promise<void> {
  const temporary = temporaryPath(layout.directory, 'latest');
  try {
    await files.symlink(basename(checkpoint), temporary);
    await files.rename(temporary, join(layout.directory, LATEST));
  } catch (error) {
    if (errnoOf(error) === null) throw error;
  }
}
