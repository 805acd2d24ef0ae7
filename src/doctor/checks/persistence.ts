/** Without persistence mode the driver puts a card to sleep between two programs, and wakes it for seconds at each launch. */
import type { GpuSample } from '../../gpu/sample.ts';
import { type Finding, note, ok } from '../finding.ts';

export function checkPersistence({ values: { index, persistenceMode } }: GpuSample): Finding[] {
  if (persistenceMode === null) return [];
  const card = `GPU ${index ?? '?'}`;
  if (persistenceMode) return [ok('persistence', `${card}: on`)];
  return [
    note(
      'persistence',
      `${card}: persistence mode is off: the first launch after a pause takes seconds longer, and settings such as a power limit are forgotten.`,
      `sudo nvidia-smi -i ${index ?? '<index>'} -pm 1`,
    ),
  ];
}
