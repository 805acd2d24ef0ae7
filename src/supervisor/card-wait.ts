/** A launch that waits until the worker's cards are fit for it: cool, healthy, or free of a dead worker's memory. */
import type { SmiTrouble } from '../gpu/smi-trouble.ts';
import type { CardActs } from './card-acts.ts';
import { type Awaited, type Held, isReady, NEEDS, READY } from './held-card.ts';
import type { CardNeed } from './machine/effect.ts';

export class CardWait {
  readonly #acts: CardActs;
  /** Null: nothing waits. */
  #awaited: Awaited | null = null;

  constructor(acts: CardActs) {
    this.#acts = acts;
  }

  begin(need: CardNeed, reason: string, nowMs: number): void {
    this.#awaited = { need, sinceMs: nowMs };
    this.#acts.tell('awaited', null, null, `${NEEDS[need]} (${reason})`);
  }

  /** Nothing waits any more, for whatever reason. */
  end(): void {
    this.#awaited = null;
  }

  /** Lets the launch go on where the cards are fit for it now. @param cards that the worker may use */
  look(cards: readonly Held[], trouble: SmiTrouble | null, nowMs: number): void {
    if (this.#awaited === null || !isReady(cards, this.#awaited, trouble, nowMs)) return;
    const { need } = this.#awaited;
    this.end();
    this.#acts.tell('went-on', null, null, READY[need]);
    this.#acts.orders?.ready();
  }
}
