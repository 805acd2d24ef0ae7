/** Processes of a session that nobody recorded or that left their group (a grandchild that called setsid). */
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isAlive } from '../checkpoint/process-identity.ts';
import type { ProcessIdentity } from '../checkpoint/types.ts';
import { errnoOf } from '../errors.ts';
import { ENVIRONMENT } from '../protocol/messages.ts';
import { hasEnvironment, isLiving, processTable } from './process-table.ts';

interface Orphan {
  readonly identity: ProcessIdentity;
  readonly group: number;
  readonly parent: number;
}

const POLL_MS = 20;

/**
 * Living processes that carry this session in their environment, our own process excepted. Linux only: elsewhere
 * the environment of a process cannot be read, and the list is empty.
 */
export function findOrphans(session: string): Orphan[] {
  const orphans: Orphan[] = [];
  for (const row of processTable()) {
    if (row.pid === process.pid || !isLiving(row)) continue;
    if (!hasEnvironment(row.pid, ENVIRONMENT.session, session)) continue;
    const identity = identityOf(row.pid);
    if (identity !== null) orphans.push({ identity, group: row.group, parent: row.parent });
  }
  return orphans;
}

/**
 * Kills what `find` finds and looks again, since what is killed may have had children that were not there before.
 *
 * @param timeoutMs bound of the whole
 */
export async function endOrphans(
  find: () => readonly Orphan[],
  timeoutMs: number,
): Promise<{ readonly ended: number; readonly unkillable: readonly Orphan[] }> {
  const deadline = performance.now() + timeoutMs;
  const seen = new Set<string>();
  for (;;) {
    const living = find().filter((orphan) => isAlive(orphan.identity));
    const unkillable = living.filter((orphan) => !kill(orphan.identity));
    for (const { identity } of living) seen.add(`${identity.pid} ${identity.startTime}`);
    if (living.length === 0) return { ended: seen.size, unkillable: [] };
    if (performance.now() >= deadline) return { ended: seen.size - living.length, unkillable: living };
    if (unkillable.length === living.length) return { ended: seen.size - living.length, unkillable };
    await sleep(POLL_MS);
  }
}

/** False: it may not be signalled by us. */
function kill(identity: ProcessIdentity): boolean {
  try {
    process.kill(identity.pid, 'SIGKILL');
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return true;
    if (errnoOf(error) === 'EPERM') return false;
    throw error;
  }
}
