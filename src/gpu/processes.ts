/** Who holds a card's memory: the worker's own processes, or others. */
import { readPlaceholder } from './absent.ts';

/** The order matters: a process's name comes last because it may hold commas. */
const PROCESS_COLUMNS = ['gpu_uuid', 'pid', 'used_gpu_memory', 'process_name'] as const;

export interface GpuProcess {
  readonly gpuUuid: string;
  readonly pid: number;
  readonly name: string;
  /** Null: not told (Windows, MIG, no permission). */
  readonly memoryMib: number | null;
}

/** Rows of `--query-compute-apps` with the columns above, `noheader,nounits`. What is no row is left out. */
export function readProcesses(text: string): GpuProcess[] {
  return text.split(/\r?\n/).flatMap((line) => readProcess(line) ?? []);
}

function readProcess(line: string): GpuProcess | null {
  const match = /^\s*((?:GPU|MIG)-[^,]+), (\d+), ([^,]*), (.*)$/.exec(line);
  if (match === null) return null;
  const [, gpuUuid = '', pid, memory = '', name = ''] = match;
  const mib = /^(\d+)(?: MiB)?$/.exec(memory.trim())?.[1];
  const memoryMib = readPlaceholder(memory.trim()) !== null || mib === undefined ? null : Number(mib);
  return { gpuUuid, pid: Number(pid), name: name.trim(), memoryMib };
}

export interface MemoryShare {
  /** Null: none of the worker's processes is in the list (it has not started to use the card, or the list has other pids, as in a container). */
  readonly ownMib: number | null;
  readonly othersMib: number;
  readonly own: readonly GpuProcess[];
  readonly others: readonly GpuProcess[];
  /** Processes whose memory was not told: the sums are too small by theirs. */
  readonly untold: number;
}

/** @param ownPids the worker and all its descendants */
export function shareMemory(
  processes: readonly GpuProcess[],
  gpuUuid: string,
  ownPids: ReadonlySet<number>,
): MemoryShare {
  const here = processes.filter((each) => each.gpuUuid === gpuUuid);
  const own = here.filter(({ pid }) => ownPids.has(pid));
  const others = here.filter(({ pid }) => !ownPids.has(pid));
  const untold = here.filter(({ memoryMib }) => memoryMib === null).length;
  return { ownMib: own.length === 0 ? null : sumMib(own), othersMib: sumMib(others), own, others, untold };
}

function sumMib(processes: readonly GpuProcess[]): number {
  return processes.reduce((sum, { memoryMib }) => sum + (memoryMib ?? 0), 0);
}

/** @returns the arguments that list the processes of all cards */
export function processQuery(): string[] {
  return [`--query-compute-apps=${PROCESS_COLUMNS.join(',')}`, '--format=csv,noheader,nounits'];
}
