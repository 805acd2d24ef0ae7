/** Which cards the present worker computes on: nothing is done to it for the sake of a card that it does not use. */
import { type UseAnswer, useOf } from '../gpu/policy/card-use.ts';
import { processQuery, readProcesses } from '../gpu/processes.ts';
import { askSmi } from '../gpu/smi-ask.ts';
import type { SmiCommand } from '../gpu/smi-command.ts';
import { deviceOf } from './backend-device.ts';
import type { SupervisorEvent } from './events.ts';

/** A card heats up slowly enough for that; a driver that hangs is not waited for any longer. */
const LIMITS = { timeoutMs: 5_000, maxBytes: 64 * 1024 };
/** So long an answer holds that the worker is elsewhere: it may have begun to use the card since. */
const HOLDS_MS = 60_000;

export interface CardUseOptions {
  readonly smi: SmiCommand;
  readonly nowMs: () => number;
  /** The worker's own processes. */
  readonly own: () => ReadonlySet<number>;
  readonly namesOurPids: () => boolean;
}

interface Known {
  readonly answer: UseAnswer;
  readonly atMs: number;
}

export class CardUse {
  readonly #options: CardUseOptions;
  #device: 'cpu' | 'gpu' | null = null;
  #known: ReadonlyMap<string, Known> = new Map();
  #attempt = 0;

  constructor(options: CardUseOptions) {
    this.#options = options;
  }

  take(event: SupervisorEvent): void {
    if (event.name === 'attempt-started') this.#forget(null);
    else if (event.name === 'training-started') this.#forget(event.backend);
    else if (event.name === 'worker-connected' && event.backend != null) this.#forget(event.backend);
  }

  /** By what is known without asking; null: the driver has to be asked. */
  known(card: string): UseAnswer | null {
    const known = this.#known.get(card);
    if (known === undefined) return null;
    return known.answer === 'elsewhere' && this.#options.nowMs() - known.atMs > HOLDS_MS ? null : known.answer;
  }

  /** The worker says that it computes on the CPU, and nothing was seen of it on the card. @param card null: on any */
  isDeclaredElsewhere(card: string | null): boolean {
    return this.#device === 'cpu' && (card === null || this.#known.get(card)?.answer !== 'seen');
  }

  /** Takes five seconds at most. Null: another worker has come meanwhile. */
  async ask(card: string): Promise<UseAnswer | null> {
    const attempt = this.#attempt;
    const { smi, nowMs, own, namesOurPids } = this.#options;
    const answer = await askSmi(smi, processQuery(), LIMITS);
    if (attempt !== this.#attempt) return null;
    const processes = answer.kind === 'answered' ? readProcesses(answer.text) : null;
    const use = useOf(card, { device: this.#device, processes, own: own(), namesOurPids: namesOurPids() });
    this.#known = new Map([...this.#known, [card, { answer: use, atMs: nowMs() }]]);
    return use;
  }

  #forget(backend: string | null): void {
    this.#device = deviceOf(backend);
    this.#known = new Map();
    this.#attempt += 1;
  }
}
