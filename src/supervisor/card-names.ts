/** Tells the worker the names of the cards that it may use: its checkpoints say on what they were made. */
import type { GpuSample } from '../gpu/sample.ts';
import type { SupervisorEvent } from './events.ts';

/** `gpu`: in the order in which the worker counts them; null: there is none. */
export interface NamedCards {
  readonly gpu: string | null;
  readonly driver: string | null;
}

export function namesOf(rows: readonly GpuSample[]): NamedCards {
  const names = rows.map(({ values }) => values.name ?? '');
  const kinds = [...new Set(names)].map((name) => {
    const many = names.filter((each) => each === name).length;
    return many === 1 ? name : `${many} x ${name}`;
  });
  return { gpu: kinds.length === 0 ? null : kinds.join(', '), driver: rows[0]?.values.driverVersion ?? null };
}

export class CardNames {
  readonly #send: (cards: NamedCards) => void;
  #known: NamedCards = { gpu: null, driver: null };

  constructor(send: (cards: NamedCards) => void) {
    this.#send = send;
  }

  /** @param rows newest of each card that the worker may use; one that is lost tells no name, and is no other card */
  look(rows: readonly GpuSample[]): void {
    if (rows.some(({ values }) => values.name === null)) return;
    const now = namesOf(rows);
    if (now.gpu === null || (now.gpu === this.#known.gpu && now.driver === this.#known.driver)) return;
    this.#known = now;
    this.#send(now);
  }

  /** Each worker, and each that connects again, is told. */
  take(event: SupervisorEvent): void {
    if (event.name === 'worker-connected' && this.#known.gpu !== null) this.#send(this.#known);
  }
}
