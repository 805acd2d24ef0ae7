/** Another program on the worker's card. */
import type { MemoryShare } from '../../gpu/processes.ts';
import { clear, KEEP, raise, type Verdict } from '../warnings/condition.ts';

/** What a desktop or a small tool takes is not worth a word. */
const MUCH_MIB = 1_024;
const LITTLE_MIB = 512;

export interface SharedCard {
  readonly index: number | null;
  readonly memoryTotalMib: number | null;
  readonly share: MemoryShare;
}

export function judgeSharedCard({ index, memoryTotalMib, share }: SharedCard): Verdict {
  const card = `GPU ${index ?? '?'}`;
  if (share.othersMib < LITTLE_MIB) return clear(`${card} is the worker's alone again`);
  if (share.othersMib < MUCH_MIB) return KEEP;
  const [first] = share.others.toSorted((a, b) => (b.memoryMib ?? 0) - (a.memoryMib ?? 0));
  const total = memoryTotalMib === null ? '' : ` of ${memoryTotalMib}`;
  const who = first === undefined ? 'another program' : `${first.name} (pid ${first.pid})`;
  const more = share.others.length > 1 ? ` and ${share.others.length - 1} more` : '';
  return raise(
    `${who}${more} is on ${card} as well, with ${share.othersMib}${total} MiB of its memory`,
    'End it, give it another card, or give this session one with CUDA_VISIBLE_DEVICES.',
  );
}
