/** What each card itself says is wrong with it: lost, in need of a reset, bad memory. */
import { faultsOf } from '../../gpu/card-book.ts';
import type { GpuSample } from '../../gpu/sample.ts';
import { type Finding, problem } from '../finding.ts';

export function checkCardHealth(sample: GpuSample): Finding[] {
  const { index, busId } = sample.values;
  const reset = `End what uses it, then: sudo nvidia-smi --gpu-reset -i ${index ?? '<index>'}`;
  const mends = {
    lost: 'Reboot the machine. If it comes back, look at its power supply and slot.',
    'reset-required': reset,
    'recovery-action': reset,
    'row-missing': null,
    'bad-memory': 'Have the card replaced (RMA): its spare memory rows are used up.',
  } as const;
  return faultsOf(sample).map(({ kind, words }) =>
    problem('card', `GPU ${index ?? busId ?? '?'}: ${words}.`, mends[kind]),
  );
}
