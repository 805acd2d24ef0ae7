/** Is a card lost for the worker, and what makes it work again? Pure conclusions from rows, nvidia-smi's own end, and the kernel's log. */
import type { CardFault } from '../card-book.ts';
import type { SmiTrouble } from '../smi-trouble.ts';
import type { XidMessage } from '../xid.ts';

/** A launch on this card would fail again. */
export interface CardLoss {
  readonly words: string;
  readonly hint: string;
}

const REBOOT = 'Reboot the machine. If it comes back, look at its power supply, its cables and its slot.';
const RESET = 'End what uses the GPU, then: nvidia-smi --gpu-reset -i <index>. If that fails, reboot the machine.';

/** What a card's own row says; null: nothing against it. */
export function lossOfFaults(card: string, faults: readonly CardFault[]): CardLoss | null {
  for (const { kind, words } of faults) {
    if (kind === 'lost' || kind === 'row-missing') return { words: `${card}: ${words}`, hint: REBOOT };
    if (kind === 'reset-required' || kind === 'recovery-action') return { words: `${card}: ${words}`, hint: RESET };
  }
  return null;
}

export function lossOfTrouble({ kind, words, hint }: SmiTrouble): CardLoss | null {
  if (kind !== 'card-lost' && kind !== 'reset-required') return null;
  return { words, hint: hint ?? (kind === 'card-lost' ? REBOOT : RESET) };
}

/** Xids of the worker's cards since its launch: the worst one. Those that a new start of the program mends are no loss. */
export function lossOfXids(xids: readonly XidMessage[]): CardLoss | null {
  const worst =
    xids.findLast(({ remedy }) => remedy === 'reboot') ?? xids.findLast(({ remedy }) => remedy === 'reset-card');
  if (worst === undefined) return null;
  const { number, words, busId, remedy } = worst;
  return {
    words: `Xid ${number} of the GPU at ${busId}: ${words}`,
    hint: remedy === 'reboot' ? REBOOT : RESET,
  };
}

/** Words of CUDA and of NVML for a card that is gone, in a trainer's own last lines. */
const GONE = /GPU is lost|fallen off the bus|CUDA_ERROR_ECC_UNCORRECTABLE|uncorrectable ECC error/i;

export function lossOfLines(lines: readonly string[]): CardLoss | null {
  const line = lines.findLast((each) => GONE.test(each));
  return line === undefined ? null : { words: line.trim().slice(0, 200), hint: REBOOT };
}

/** What an Xid that a new start mends has to say about the end of the program; null: there was none. */
export function xidWords(xids: readonly XidMessage[]): string | null {
  const last = xids.findLast(({ remedy }) => remedy === 'restart-program');
  return last === undefined ? null : `Xid ${last.number}: ${last.words}`;
}
