/** Memory that a launch takes, as an out-of-memory killer would count it. */
import { readFileSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';
import { type OwnedGroup, ownedMembers } from '../../supervisor/process-group.ts';

/** Bytes that its processes hold and no disk holds for them: anonymous and shared memory, without mapped files. Linux. */
export function groupMemoryBytes(group: OwnedGroup): number {
  return ownedMembers(group).reduce((sum, { pid }) => sum + residentBytes(pid), 0);
}

function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kilobytes = [...status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)].map(([, text]) => Number(text));
    return kilobytes.reduce((sum, kB) => sum + kB * 1_024, 0);
  } catch (error) {
    // It ended meanwhile, and holds nothing.
    if (errnoOf(error) === null) throw error;
    return 0;
  }
}
