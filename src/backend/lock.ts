/** One installation or removal at a time in a state home. */
import { join } from 'node:path';
import { acquireClaim, readOwner, releaseClaim } from '../checkpoint/claim.ts';
import { nodeFiles } from '../checkpoint/files.ts';
import { currentOwner, isAlive, relationOf } from '../checkpoint/process-identity.ts';
import { NkatError } from '../errors.ts';
import { tellingDiskErrors } from './disk-errors.ts';

const OPERATION = 'change the native backends';
const LOCK = '.lock';

/** Pid of the command on this machine that is changing the backends now; null: none. @throws NkatError `io` */
export async function whoChanges(folder: string): Promise<number | null> {
  const owner = await readOwner(nodeFiles, join(folder, LOCK));
  if (owner === null || relationOf(owner, currentOwner('alone')) !== 'here') return null;
  return isAlive(owner) ? owner.pid : null;
}

/**
 * Runs `work` while nobody else changes the backends; the right of a dead process is taken over.
 *
 * @param folder of the backends; made where it is missing
 * @throws NkatError `session-held` while another lives, `no-space` and `io` where the disk refuses, and what `work` throws
 */
export function withBackendsLocked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  return tellingDiskErrors(OPERATION, folder, () => locked(folder, work));
}

async function locked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const lock = join(folder, LOCK);
  const outcome = await acquireClaim(nodeFiles, lock, { role: 'alone', takeOver: false });
  if (outcome.status === 'held') {
    const { pid, host, at } = outcome.by;
    throw new NkatError(`another command is changing them: pid ${pid} on ${host}, since ${at}`, {
      code: 'session-held',
      operation: OPERATION,
      path: folder,
      hint: outcome.elsewhere
        ? `If that machine is known to be off, remove ${lock}.`
        : 'Wait for it; it shows how far it is.',
    });
  }
  try {
    return await work();
  } finally {
    await releaseClaim(nodeFiles, lock, outcome.claim);
  }
}
