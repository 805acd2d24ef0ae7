/** Is the host's memory, or that of our memory cgroup, nearly used up? Pure parsers and a verdict. */
import { aboutBytes } from '../../units.ts';
import { clear, KEEP, raise, type Verdict } from './condition.ts';

/** Memory of one bound. `name`: whose. */
export interface MemoryBound {
  readonly name: 'host' | 'cgroup';
  readonly limitBytes: number;
  readonly usedBytes: number;
}

/** Told from this share on; well again below the other. */
const HIGH = 0.9;
const WELL = 0.85;

/** `MemTotal` and `MemAvailable` of `/proc/meminfo` (proc(5)); null: they are not there. */
export function parseMeminfo(text: string): MemoryBound | null {
  const total = kilobytes(text, 'MemTotal');
  const available = kilobytes(text, 'MemAvailable');
  if (total === null || available === null || total <= 0) return null;
  return { name: 'host', limitBytes: total, usedBytes: total - available };
}

/** `VmRSS` of `/proc/<pid>/status`; null: it is not there. */
export function parseResidentBytes(text: string): number | null {
  return kilobytes(text, 'VmRSS');
}

/**
 * Limit and use of a memory cgroup; null: no limit. The file cache that can be given back at once does not count.
 *
 * @param limit `memory.max` (v2, a number or `max`) or `memory.limit_in_bytes` (v1, a huge number for none)
 * @param used `memory.current` or `memory.usage_in_bytes`; `stat`: `memory.stat` of either
 */
export function cgroupBound(limit: string, used: string, stat: string, hostBytes: number): MemoryBound | null {
  const limitBytes = wholeNumber(limit);
  const usedBytes = wholeNumber(used);
  if (limitBytes === null || usedBytes === null || limitBytes <= 0 || limitBytes >= hostBytes) return null;
  const cache = /^total_inactive_file (\d+)$/m.exec(stat)?.[1] ?? /^inactive_file (\d+)$/m.exec(stat)?.[1] ?? '0';
  return { name: 'cgroup', limitBytes, usedBytes: Math.max(0, usedBytes - Number(cache)) };
}

/** Of which the largest share is used; null: none is known. */
export function tightestOf(bounds: readonly MemoryBound[]): MemoryBound | null {
  return bounds.toSorted((a, b) => share(b) - share(a))[0] ?? null;
}

/** @param workerBytes resident memory of the worker; null: not known */
export function judgeMemory(bounds: readonly MemoryBound[], workerBytes: number | null): Verdict {
  const tightest = tightestOf(bounds);
  if (tightest === null) return KEEP;
  if (share(tightest) < WELL) return clear('There is enough memory again');
  if (share(tightest) < HIGH) return KEEP;
  const whose = tightest.name === 'host' ? 'the memory of this machine' : "the memory limit of this session's cgroup";
  const percent = Math.floor(share(tightest) * 100);
  const worker = workerBytes === null ? '' : `; the worker itself holds ${aboutBytes(workerBytes)}`;
  return raise(
    `${percent} % of ${whose} is used (${aboutBytes(tightest.usedBytes)} of ${aboutBytes(tightest.limitBytes)})${worker}`,
    'The kernel kills what needs more. Use smaller batches or fewer data loaders, end other programs, or raise the limit.',
  );
}

function share({ usedBytes, limitBytes }: MemoryBound): number {
  return usedBytes / limitBytes;
}

function kilobytes(text: string, name: string): number | null {
  const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return value === undefined ? null : Number(value) * 1024;
}

function wholeNumber(text: string): number | null {
  return /^\d+$/.test(text.trim()) ? Number(text.trim()) : null;
}
