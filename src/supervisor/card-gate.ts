/** What is decided about a card reaches the worker only where it uses that card. Before the first order for it the driver is asked. */
import type { CardDecision } from '../gpu/policy/card-decision.ts';
import type { CardUse } from './card-use.ts';

export interface Gate {
  readonly open: (decisions: readonly CardDecision[]) => void;
  /** It is another program's card: nothing was done. */
  readonly closed: () => void;
}

/** Words for people are no orders to the worker. */
export function isWords({ type }: CardDecision): boolean {
  return type === 'warn' || type === 'warned';
}

export class CardGate {
  readonly #use: CardUse;
  /** Decisions that wait for the driver's answer, by card. */
  readonly #waiting = new Map<string, CardDecision[]>();

  constructor(use: CardUse) {
    this.#use = use;
  }

  isOpen(card: string): boolean {
    const known = this.#use.known(card);
    return known === 'seen' || known === 'presumed';
  }

  /** Nobody has asked yet whether the worker uses it, or the answer is too old. */
  isUnknown(card: string): boolean {
    return this.#use.known(card) === null;
  }

  /** At once where the answer is known, else as soon as it is. */
  pass(card: string, decisions: readonly CardDecision[], gate: Gate): void {
    if (decisions.length === 0) return;
    const waiting = this.#waiting.get(card);
    if (waiting !== undefined) {
      waiting.push(...decisions);
      return;
    }
    const known = this.#use.known(card);
    if (known === 'elsewhere') gate.closed();
    else if (known !== null) gate.open(decisions);
    else this.#ask(card, [...decisions], gate);
  }

  #ask(card: string, held: CardDecision[], gate: Gate): void {
    this.#waiting.set(card, held);
    void this.#use.ask(card).then((answer) => {
      // The worker that it was decided for may have ended.
      if (this.#waiting.get(card) !== held) return;
      this.#waiting.delete(card);
      if (answer === 'elsewhere') gate.closed();
      else if (answer !== null) gate.open(held);
    });
  }

  /** The worker has ended. */
  forget(): void {
    this.#waiting.clear();
  }
}
