/** The cards while a session is supervised: what they show now, their last two minutes, and warnings when one of them fails. */
import { type CardBook, type CardFault, faultsOf, keepRow, missingRow } from '../gpu/card-book.ts';
import { GpuWatch } from '../gpu/gpu-watch.ts';
import { askInventory } from '../gpu/look.ts';
import { readMigList } from '../gpu/mig-list.ts';
import type { GpuSample } from '../gpu/sample.ts';
import { askSmi } from '../gpu/smi-ask.ts';
import { smiCommand } from '../gpu/smi-command.ts';
import { meansNoCards, type SmiTrouble, type TroubleKind } from '../gpu/smi-trouble.ts';
import { chooseVisible } from '../gpu/visible.ts';
import type { CardControl } from './card-control.ts';
import type { CardFacts, SupervisorEvent } from './events.ts';
import { OnsetWarnings } from './onset-warnings.ts';

const PERIOD_MS = 1_000;
/** A card whose row does not come for so long, while those of others do, is missing. */
const MISSING_MS = 5 * PERIOD_MS;
const KEPT_MS = 120_000;
const LIST_LIMITS = { timeoutMs: 20_000, maxBytes: 256 * 1024 };

export interface CardWatchOptions {
  /** The worker's: which cards it may use, and which program is asked. */
  readonly environment: NodeJS.ProcessEnv;
  readonly tell: (event: SupervisorEvent) => void;
  /** A clock that nobody sets. */
  readonly nowMs: () => number;
  /** Each row as it comes, of every card. */
  readonly onSample?: (sample: GpuSample) => void;
  /** Acts on what the worker's cards show. */
  readonly control: CardControl;
}

export class CardWatch {
  readonly #options: CardWatchOptions;
  readonly #warnings: OnsetWarnings;
  readonly #watch: GpuWatch;
  #book: CardBook = [];
  #recent: GpuSample[] = [];
  /** Codes of faults that were told, of each card. */
  readonly #told = new Map<string, ReadonlySet<string>>();
  #isKnown = false;
  #isAbsenceTold = false;
  /** UUIDs of MIG instances, by their card; asked only where the worker is given some. */
  #instances: ReadonlyMap<string, readonly string[]> = new Map();
  /** Kind of the trouble that was told last. */
  #trouble: TroubleKind | null = null;

  constructor(options: CardWatchOptions) {
    this.#options = options;
    this.#warnings = new OnsetWarnings(options.tell);
    this.#watch = new GpuWatch({
      command: smiCommand(options.environment),
      periodMs: PERIOD_MS,
      nowMs: options.nowMs,
      ears: { sample: (sample) => this.#take(sample), trouble: (trouble) => this.#hear(trouble) },
    });
  }

  close(): void {
    this.#watch.close();
  }

  /** What the worker's cards show now. */
  now(): readonly CardFacts[] {
    return this.rows().map(({ values: { index, temperatureC, utilizationPercent } }) => {
      return { index: index ?? -1, temperatureC, utilizationPercent };
    });
  }

  /** Newest row of each card that the worker may use. One without a fresh row is left out: an old temperature is none. */
  rows(): readonly GpuSample[] {
    const nowMs = this.#options.nowMs();
    const visible = this.#visible();
    return this.#book.flatMap(({ key, sample }) =>
      visible.includes(key) && nowMs - sample.atMs <= MISSING_MS ? [sample] : [],
    );
  }

  /** Keys of the cards that the worker may use. */
  #visible(): readonly string[] {
    const cards = this.#book.map(({ key, sample }) => ({
      index: sample.values.index ?? -1,
      uuid: key,
      name: sample.values.name ?? '',
      instances: this.#instances.get(key) ?? [],
    }));
    return chooseVisible(cards, this.#options.environment).uuids;
  }

  /** Once, as soon as there is a card at all. Without its own limits only those of a profile hold. */
  #learnLimits(): void {
    this.#isKnown = true;
    if (this.#options.environment.CUDA_VISIBLE_DEVICES?.includes('MIG-') === true) void this.#learnInstances();
    void askInventory(smiCommand(this.#options.environment)).then((inventory) => {
      if (inventory !== null) this.#options.control.know(inventory.cards);
    });
  }

  /** Until they are known, or where they cannot be had, a MIG instance names no card. */
  async #learnInstances(): Promise<void> {
    const answer = await askSmi(smiCommand(this.#options.environment), ['-L'], LIST_LIMITS);
    if (answer.kind === 'answered') this.#instances = readMigList(answer.text);
  }

  /** False on a machine without cards or without nvidia-smi, and until that is known. */
  get isWatching(): boolean {
    return this.#book.length > 0 || (this.#trouble !== null && !meansNoCards(this.#trouble));
  }

  /** Rows of the last two minutes, oldest first: evidence for a crash. */
  recent(): readonly GpuSample[] {
    return this.#recent;
  }

  #take(sample: GpuSample): void {
    const nowMs = this.#options.nowMs();
    const first = this.#recent.findIndex(({ atMs }) => nowMs - atMs <= KEPT_MS);
    this.#recent = [...(first < 0 ? [] : this.#recent.slice(first)), sample];
    this.#options.onSample?.(sample);
    const { book, key } = keepRow(this.#book, sample);
    this.#book = book;
    if (!this.#isKnown) this.#learnLimits();
    if (this.#visible().includes(key)) this.#options.control.read(key, sample);
    for (const gone of this.#told.keys()) {
      if (book.some((card) => card.key === gone)) continue;
      this.#judge(gone, sample, []);
      this.#told.delete(gone);
    }
    for (const card of this.#book) {
      const missing = missingRow(card.sample, nowMs, MISSING_MS);
      this.#judge(card.key, card.sample, [...faultsOf(card.sample), ...(missing === null ? [] : [missing])]);
    }
  }

  #judge(key: string, { values }: GpuSample, faults: readonly CardFault[]): void {
    const card = `GPU ${values.index ?? key}`;
    const codes = new Set<string>();
    for (const { kind, words } of faults) {
      const code = `gpu-${kind}:${key}`;
      codes.add(code);
      this.#warnings.begin(code, `${card}: ${words}`, 'Look at all of it: nkat-recover gpu');
    }
    for (const code of this.#told.get(key) ?? []) {
      if (!codes.has(code)) this.#warnings.end(code, `${card}: ${wellWords(code)}`);
    }
    this.#told.set(key, codes);
  }

  /** That a machine has no cards is no warning: it is said once. */
  #hear(trouble: SmiTrouble | null): void {
    this.#options.control.hear(trouble);
    if (this.#trouble !== null && this.#trouble !== trouble?.kind) {
      this.#warnings.end(
        `gpu-watch-${this.#trouble}`,
        trouble === null ? 'nvidia-smi answers again' : 'nvidia-smi answers otherwise',
      );
    }
    this.#trouble = trouble?.kind ?? null;
    if (trouble === null) return;
    if (meansNoCards(trouble.kind)) {
      if (!this.#isAbsenceTold) this.#options.tell({ name: 'cards-absent', message: `No GPU: ${trouble.words}` });
      this.#isAbsenceTold = true;
      return;
    }
    this.#warnings.begin(`gpu-watch-${trouble.kind}`, `The cards are not watched: ${trouble.words}`, trouble.hint);
  }
}

const WELL: Readonly<Record<CardFault['kind'], string>> = {
  lost: 'it is back',
  'reset-required': 'it needs no reset any more',
  'recovery-action': 'the driver recommends nothing any more',
  'row-missing': 'nvidia-smi tells of it again',
  'bad-memory': 'its memory is well again',
};

/** What it means that the fault of this code is over. */
function wellWords(code: string): string {
  const kind = Object.keys(WELL).find((each): each is CardFault['kind'] => code.startsWith(`gpu-${each}:`));
  return kind === undefined ? 'it is well again' : WELL[kind];
}
