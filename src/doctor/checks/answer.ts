/** Whether nvidia-smi answers at all. A machine without cards is no patient: that is said once, by this check alone. */
import type { GpuLook } from '../../gpu/look.ts';
import { meansNoCards } from '../../gpu/smi-trouble.ts';
import { type Finding, note, ok, problem } from '../finding.ts';

export function checkAnswer({ cards, troubles }: Pick<GpuLook, 'cards' | 'troubles'>): Finding[] {
  const told = troubles.map(({ kind, words, hint }) =>
    meansNoCards(kind) ? note('gpu', `No GPU: ${words}. Everything else works.`, hint) : problem('gpu', words, hint),
  );
  if (cards.length === 0) return told.length === 0 ? [note('gpu', 'No GPU: nvidia-smi tells of none.')] : told;
  const names = cards.map(({ sample: { values } }) => `GPU ${values.index ?? '?'} ${values.name ?? 'without a name'}`);
  return [ok('gpu', names.join(', ')), ...told];
}
