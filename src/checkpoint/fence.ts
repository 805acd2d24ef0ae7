/** A process that lost its session to a higher claim must not touch the store any more. */
import { NkatError } from '../errors.ts';
import { highestClaim } from './claim.ts';
import type { StoreFiles } from './files.ts';
import type { StoreLayout } from './layout.ts';

/** Whether the session was claimed after this claim. @throws NkatError `io` */
export async function isFenced(files: StoreFiles, layout: StoreLayout, claim: number): Promise<boolean> {
  const highest = await highestClaim(files, layout.directory);
  // None at all: somebody removed the claims, and nobody has claimed since. A lower one was made after that.
  return highest !== claim && highest !== 0;
}

/** @throws NkatError `fenced` when the session was claimed after this claim, `io` */
export async function requireClaim(files: StoreFiles, layout: StoreLayout, claim: number): Promise<void> {
  if (!(await isFenced(files, layout, claim))) return;
  throw new NkatError(`Claim ${claim} on this session has been superseded by another one.`, {
    code: 'fenced',
    operation: 'commit a checkpoint',
    path: layout.directory,
    hint: 'Another process owns the session now.',
  });
}
