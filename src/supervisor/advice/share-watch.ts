/** Asks from time to time who else is on the worker's cards. */
import { type GpuProcess, processQuery, readProcesses, shareMemory } from '../../gpu/processes.ts';
import type { GpuSample } from '../../gpu/sample.ts';
import { askSmi } from '../../gpu/smi-ask.ts';
import type { SmiCommand } from '../../gpu/smi-command.ts';
import { processesOfGroup } from '../own-processes.ts';
import type { SharedCard } from './shared-card.ts';

/** Each question starts a program; whoever shares a card stays for longer than that. */
const EVERY_MS = 120_000;
const ANSWER_MS = 10_000;
const MAX_BYTES = 64 * 1024;

export interface ShareWatchOptions {
  readonly smi: SmiCommand;
  readonly nowMs: () => number;
  /** Newest rows of the worker's cards. */
  readonly cards: () => readonly GpuSample[];
  /** Group of the worker's processes; null: there is no worker, or its numbers are not those that nvidia-smi sees. */
  readonly group: () => number | null;
  readonly onShares: (cards: readonly SharedCard[]) => void;
}

export class ShareWatch {
  readonly #options: ShareWatchOptions;
  #askedMs: number;
  #isAsking = false;

  constructor(options: ShareWatchOptions) {
    this.#options = options;
    this.#askedMs = options.nowMs();
  }

  /** Called each second or so, while steps are made. */
  look(): void {
    const { nowMs, cards, group } = this.#options;
    if (this.#isAsking || nowMs() - this.#askedMs < EVERY_MS || cards().length === 0 || group() === null) return;
    this.#askedMs = nowMs();
    this.#isAsking = true;
    void this.#ask().finally(() => {
      this.#isAsking = false;
    });
  }

  async #ask(): Promise<void> {
    const { smi, cards, group, onShares } = this.#options;
    const answer = await askSmi(smi, processQuery(), { timeoutMs: ANSWER_MS, maxBytes: MAX_BYTES });
    const own = group();
    // The watch over the cards tells what is wrong with nvidia-smi.
    if (answer.kind !== 'answered' || own === null) return;
    onShares(sharedCards(readProcesses(answer.text), cards(), processesOfGroup(own)));
  }
}

export function sharedCards(
  processes: readonly GpuProcess[],
  cards: readonly GpuSample[],
  own: ReadonlySet<number>,
): SharedCard[] {
  return cards.flatMap(({ values: { uuid, index, memoryTotalMib } }) =>
    uuid === null ? [] : [{ index, memoryTotalMib, share: shareMemory(processes, uuid, own) }],
  );
}
