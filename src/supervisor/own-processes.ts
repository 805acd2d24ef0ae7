/** The processes of a worker: its group, and all that was started from it, in whatever group that is now. */
import { isLiving, type ProcessRow, processTable } from './process-table.ts';

export function processesOfGroup(group: number): ReadonlySet<number> {
  const rows = processTable();
  return withDescendants(rows, new Set(rows.filter((row) => row.group === group).map(({ pid }) => pid)));
}

/** Living processes below this one, without itself. */
export function countBelow(pid: number): number {
  const rows = processTable();
  const below = withDescendants(rows, new Set([pid]));
  return rows.filter((row) => row.pid !== pid && below.has(row.pid) && isLiving(row)).length;
}

function withDescendants(rows: readonly ProcessRow[], own: ReadonlySet<number>): ReadonlySet<number> {
  const found = new Set(own);
  for (let more = true; more; ) {
    const before = found.size;
    for (const { pid, parent } of rows) if (found.has(parent)) found.add(pid);
    more = found.size > before;
  }
  return found;
}
