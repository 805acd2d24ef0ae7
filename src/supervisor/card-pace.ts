/** The pace that a worker was told for its cards' sake: told again before the lease ends, shown only where it is worth a line. */
import type { CardOrders } from './card-orders.ts';
import type { CardAction } from './events.ts';

/** A slowed worker whose supervisor has died, or whose cards tell nothing any more, is at full pace again after this. */
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** A change of the pace that is worth a line; smaller ones are only told to the worker. */
const WORTH_A_LINE = 0.25;

export interface CardPaceOptions {
  readonly throttle: CardOrders['throttle'];
  /** A clock that nobody sets. */
  readonly nowMs: () => number;
}

export class CardPace {
  readonly #options: CardPaceOptions;
  /** Share that the worker keeps, and when it was told. */
  #share = 0;
  #reason = '';
  #toldMs = 0;
  #shownShare = 0;

  constructor(options: CardPaceOptions) {
    this.#options = options;
  }

  /** Of the time, in which training stands still. */
  get share(): number {
    return this.#share;
  }

  get reason(): string {
    return this.#reason;
  }

  /** @param reason null: the one before still holds @returns what is worth a line; null: nothing */
  keep(share: number, reason: string | null): CardAction | null {
    if (reason !== null) this.#reason = reason;
    if (share === this.#share && (share === 0 || this.#options.nowMs() - this.#toldMs < RENEW_MS)) return null;
    this.#share = share;
    this.order();
    const isTurn = share === 0 || share === 1 || this.#shownShare === 0 || this.#shownShare === 1;
    if (share === this.#shownShare || (!isTurn && Math.abs(share - this.#shownShare) < WORTH_A_LINE)) return null;
    this.#shownShare = share;
    if (share === 0) return 'freed';
    return share === 1 ? 'held' : 'slowed';
  }

  /** Tells the worker, whatever it was told before. */
  order(): void {
    this.#toldMs = this.#options.nowMs();
    this.#options.throttle(this.#share, LEASE_MS, this.#reason);
  }

  /** There is no worker any more that could keep it. */
  end(): void {
    this.#share = 0;
    this.#shownShare = 0;
  }
}
