/** A process that lost its session to a higher claim must not touch the store any more. */
import { NkatError } from '../errors.ts';
import { highestClaim } from './claim.ts';
import type { StoreFiles } from './files.ts';
import type { StoreLayout } from './layout.ts';

/** @throws NkatError `fenced` when a higher claim than this one exists, `io` */
export async function requireClaim(files: StoreFiles, layout: StoreLayout, claim: number): Promise<void> {
  const highest = await highestClaim(files, layout.directory);
  if (highest <= claim) return;
  throw new NkatError(`Claim ${claim} on this session has been superseded by claim ${highest}.`, {
    code: 'fenced',
    operation: 'commit a checkpoint',
    path: layout.directory,
    hint: 'Another process owns the session now.',
  });
}
