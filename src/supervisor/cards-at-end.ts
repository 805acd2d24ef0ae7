/** What the cards have to say of a worker's end. */
import { lossOfLines, lossOfTrouble, lossOfXids, xidWords } from '../gpu/policy/card-loss.ts';
import type { SmiTrouble } from '../gpu/smi-trouble.ts';
import type { XidMessage } from '../gpu/xid.ts';
import { lossNow } from './card-loss-now.ts';
import type { Held } from './held-card.ts';
import { WORKER_CONFIG, WORKER_FATAL } from './machine/classify.ts';
import type { CardEvidence, WorkerEnd } from './worker-end.ts';

/** What is asked while it is found out; a row may come meanwhile. */
export interface CardWitness {
  /** How many cards were ever seen. */
  readonly seen: () => number;
  /** Those that the worker may have computed on. */
  readonly used: () => readonly Held[];
  readonly trouble: () => SmiTrouble | null;
  /** The worker says that it computes on the CPU. */
  readonly isElsewhere: boolean;
  /** Errors in the kernel's log since the launch. @param buses of the cards; none: those of every card */
  readonly xids: (buses: readonly string[]) => Promise<readonly XidMessage[]>;
  /** Resolves with the next row of any card, in bounded time. */
  readonly nextRow: () => Promise<void>;
}

/** A worker that speaks of its card may have died before that had its next row. */
const SPEAKS_OF_CARD = /CUDA|cuDNN|cuBLAS|NCCL|NVML|NVRM|\bGPU\b/i;
/** Exit codes that say why it ended: all is done, it was asked to, it must not be run again, it is set up wrongly. */
const CLEAR_CODES: readonly number[] = [0, 75, WORKER_FATAL, WORKER_CONFIG];

/** Null: nothing, or no card was ever seen. @param lastLines of the worker's stderr */
export async function cardsAtEnd(
  { code }: WorkerEnd,
  lastLines: readonly string[],
  { seen, used, trouble, isElsewhere, xids, nextRow }: CardWitness,
): Promise<CardEvidence | null> {
  const troubleNow = trouble();
  const isSilent = seen() === 0 && (troubleNow === null || lossOfTrouble(troubleNow) === null);
  if (isSilent || (code !== null && CLEAR_CODES.includes(code))) return null;
  const own = lossOfLines(lastLines);
  // A card that it did not use may be lost, or have had an error, without being the cause.
  if (used().length === 0 && isElsewhere) return { loss: own, xid: null };
  const found = await xids(used().flatMap(({ busId }) => busId ?? []));
  const loss = lossNow(used(), trouble()) ?? lossOfXids(found) ?? own;
  if (loss === null && lastLines.some((line) => SPEAKS_OF_CARD.test(line))) await nextRow();
  return { loss: loss ?? lossNow(used(), trouble()), xid: xidWords(found) };
}
