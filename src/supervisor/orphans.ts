/** Processes of a session that nobody recorded or that left their group (a grandchild that called setsid). */
import { identityOf, isAlive } from '../checkpoint/process-identity.ts';
import type { ProcessIdentity } from '../checkpoint/types.ts';
import { errnoOf } from '../errors.ts';
import { BoundedWait } from './bounded-wait.ts';
import { isLiving, type ProcessRow, processTable, wasLaunchedIn } from './process-table.ts';

interface Orphan {
  readonly identity: ProcessIdentity;
  readonly group: number;
  readonly parent: number;
}

/**
 * Living processes that a launch of this session has started. We ourselves and those that started us are none of
 * them: whoever resumes a session from a shell that its trainer opened carries it too. Linux only: elsewhere the
 * environment of a process cannot be read, and the list is empty.
 *
 * @param sinceTicks start time of the launcher in ticks since boot: what it started cannot be older; null: any age
 */
export function findOrphans(session: string, sinceTicks: string | null = null): Orphan[] {
  const since = sinceTicks === null ? 0 : Number(sinceTicks);
  const table = processTable();
  const own = lineageOf(process.pid, table);
  const orphans: Orphan[] = [];
  for (const row of table) {
    if (own.has(row.pid) || Number(row.startTime ?? 0) < since || !isLiving(row)) continue;
    if (!wasLaunchedIn(row.pid, session)) continue;
    const identity = identityOf(row.pid);
    // Another start time: the number went to another process while we looked.
    if (identity === null || identity.startTime !== row.startTime) continue;
    orphans.push({ identity, group: row.group, parent: row.parent });
  }
  return orphans;
}

/** Kills what `find` finds, in one bound for all: see {@link endOrphansWithin}. @param limitMs bound of the whole */
export function endOrphans(
  find: () => readonly Orphan[],
  limitMs: number,
): Promise<{ readonly ended: number; readonly unkillable: readonly Orphan[] }> {
  return endOrphansWithin(find, new BoundedWait(limitMs));
}

/** Kills what `find` finds and looks again, since what is killed may have had children that were not there before. */
export async function endOrphansWithin(
  find: () => readonly Orphan[],
  wait: BoundedWait,
  onWait: () => void = () => undefined,
): Promise<{ readonly ended: number; readonly unkillable: readonly Orphan[] }> {
  const seen = new Set<string>();
  for (;;) {
    const living = find().filter((orphan) => isAlive(orphan.identity));
    const unkillable = living.filter((orphan) => !kill(orphan.identity));
    for (const { identity } of living) seen.add(`${identity.pid} ${identity.startTime}`);
    if (living.length === 0) return { ended: seen.size, unkillable: [] };
    if (wait.isOver) return { ended: seen.size - living.length, unkillable: living };
    if (unkillable.length === living.length) return { ended: seen.size - living.length, unkillable };
    onWait();
    await wait.poll();
  }
}

/** The process, its parent, and so on up. */
function lineageOf(pid: number, table: readonly ProcessRow[]): ReadonlySet<number> {
  const parents = new Map(table.map((row) => [row.pid, row.parent]));
  const lineage = new Set<number>();
  for (let next: number | undefined = pid; next !== undefined && !lineage.has(next); next = parents.get(next)) {
    lineage.add(next);
  }
  return lineage;
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
