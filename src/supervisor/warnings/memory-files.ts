/** Reads what {@link judgeMemory} looks at from the system, where there is such a thing. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../errors.ts';
import { oomCounterFiles } from '../oom-records.ts';
import { cgroupBound, type MemoryBound, parseMeminfo, parseResidentBytes } from './host-memory.ts';

/** The machine's memory and the limits of the cgroups that we and our worker are in. Empty where nothing tells. */
export function readMemoryBounds(): readonly MemoryBound[] {
  const host = parseMeminfo(readOrEmpty('/proc/meminfo'));
  if (host === null) return [];
  const bounds = [host];
  const counters = oomCounterFiles(readOrEmpty('/proc/self/cgroup'), readOrEmpty('/proc/self/mountinfo'));
  for (const start of new Set(counters.map((counter) => dirname(counter)))) {
    // A limit may stand on any level above us.
    for (let directory = start; directory !== dirname(directory); directory = dirname(directory)) {
      const bound = boundOf(directory, host.limitBytes);
      if (bound === 'none') break;
      if (bound !== null) bounds.push(bound);
    }
  }
  return bounds;
}

/** Resident memory of a process in bytes; null: it is gone, or not to be read. */
export function readResidentBytes(pid: number): number | null {
  return parseResidentBytes(readOrEmpty(`/proc/${pid}/status`));
}

/** `none`: this is no directory of a memory cgroup. */
function boundOf(directory: string, hostBytes: number): MemoryBound | null | 'none' {
  const read = (name: string): string => readOrEmpty(join(directory, name));
  const [limit, used] = [read('memory.max'), read('memory.current')];
  if (used !== '') return cgroupBound(limit, used, read('memory.stat'), hostBytes);
  const [limitV1, usedV1] = [read('memory.limit_in_bytes'), read('memory.usage_in_bytes')];
  return usedV1 === '' ? 'none' : cgroupBound(limitV1, usedV1, read('memory.stat'), hostBytes);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return '';
  }
}
