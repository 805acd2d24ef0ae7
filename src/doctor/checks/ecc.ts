/** Memory errors that could not be corrected. A card without ECC cannot tell of any. */
import type { GpuSample } from '../../gpu/sample.ts';
import { type Finding, note, ok, problem } from '../finding.ts';

export function checkEcc({ values }: GpuSample): Finding[] {
  const { index, eccMode, eccUncorrected } = values;
  const card = `GPU ${index ?? '?'}`;
  if (eccUncorrected !== null && eccUncorrected > 0) {
    return [
      problem(
        'ecc',
        `${card}: ${eccUncorrected} memory error(s) that could not be corrected since the driver was loaded: results may be wrong.`,
        `End what uses it, then: sudo nvidia-smi --gpu-reset -i ${index ?? '<index>'}. If they come back, have the card replaced.`,
      ),
    ];
  }
  if (eccMode === true) return [ok('ecc', `${card}: on, no uncorrected error`)];
  if (eccMode === false) {
    const words = `${card}: ECC is off: a flipped bit in its memory goes unnoticed.`;
    return [note('ecc', words, `sudo nvidia-smi -i ${index ?? '<index>'} -e 1, then reboot`)];
  }
  return [];
}
