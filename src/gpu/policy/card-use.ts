/** Does a worker compute on a card? Pure. By the driver's list of processes where that tells, else by what the worker declares. */
import type { GpuProcess } from '../processes.ts';

export interface UseEvidence {
  /** Where its backend computes, as it says itself; null: it does not say. */
  readonly device: 'cpu' | 'gpu' | null;
  /** Programs that compute on the cards; null: the driver could not be asked. */
  readonly processes: readonly GpuProcess[] | null;
  /** The worker's own processes. */
  readonly own: ReadonlySet<number>;
  /** The list counts processes as we do: false in a container. */
  readonly namesOurPids: boolean;
}

export type UseAnswer =
  /** It has a process there. */
  | 'seen'
  /** It is not known to be elsewhere: what is done for the card's sake is done. */
  | 'presumed'
  | 'elsewhere';

/** WSL and containers list no processes at all: an empty list says nothing. */
export function useOf(uuid: string, { device, processes, own, namesOurPids }: UseEvidence): UseAnswer {
  const listed = processes ?? [];
  const mine = listed.filter(({ pid }) => own.has(pid));
  if (mine.some(({ gpuUuid }) => gpuUuid === uuid || gpuUuid.startsWith('MIG-'))) return 'seen';
  if (mine.length > 0) return 'elsewhere';
  if (device !== null) return device === 'gpu' ? 'presumed' : 'elsewhere';
  return listed.length > 0 && namesOurPids ? 'elsewhere' : 'presumed';
}
