/** One drill at a time on this machine and state home: drills must neither compete with training nor with each other. */
import { constants, hostname, setPriority } from 'node:os';
import { join } from 'node:path';
import { acquireClaim, releaseClaim } from '../checkpoint/claim.ts';
import type { StoreFiles } from '../checkpoint/files.ts';
import { errnoOf, NkatError } from '../errors.ts';
import type { StateHome } from '../home.ts';
import type { Cleanup } from './cleanup.ts';

/** Folder of what drills keep beside the database: the lock, and scratch folders while they run. */
export function drillsFolder(home: StateHome): string {
  return join(home.directory, 'drills');
}

/**
 * Takes the lock until the cleanup; one that a dead drill left is taken over.
 * @throws NkatError `session-held` while another drill lives, `io` where the state home cannot be written
 */
export async function lockDrills(files: StoreFiles, home: StateHome, cleanup: Cleanup): Promise<void> {
  const folder = drillsFolder(home);
  // Nobody but this home's own drills can hold it: one of another machine left it on a shared disk, or still runs there.
  const outcome = await acquireClaim(files, folder, { role: 'alone', takeOver: false });
  if (outcome.status === 'held') {
    const { pid, host, at } = outcome.by;
    const where = host === hostname() ? '' : ` on ${host}`;
    throw new NkatError(`another drill is running: pid ${pid}${where}, since ${at}`, {
      code: 'session-held',
      operation: 'begin the drill',
      path: folder,
      hint: outcome.elsewhere
        ? `If that machine is known to be off, remove ${join(folder, 'owners')}`
        : 'Wait for it; drills run one at a time.',
    });
  }
  await cleanup.add(() => releaseClaim(files, folder, outcome.claim));
}

/** Lowers the priority of this process, and so of all that it launches: training goes first. */
export function beKind(): void {
  try {
    setPriority(0, constants.priority.PRIORITY_LOW);
  } catch (error) {
    // Some containers allow no change: then the drill competes for the processor, and proves the same.
    if (errnoOf(error) === null) throw error;
  }
}
