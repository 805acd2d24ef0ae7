/** Slows training down between its steps, for a card that is too hot: it stands still for a share of the time. Pure but for its memory. */

export interface ThrottleOrder {
  /** Of the time, 0 to 1; 1: until told otherwise. */
  readonly share: number;
  readonly leaseMs: number;
  readonly reason: string | null;
}

/** Shorter rests are added up: a timer is no more exact, and each costs a turn of the event loop. */
const LEAST_REST_MS = 20;
/** Longest rest in one piece; steps that take longer than this slow a card down badly in any case. */
const LONGEST_REST_MS = 30_000;

export class Throttle {
  #order: (ThrottleOrder & { readonly untilMs: number }) | null = null;
  /** Rest that the work so far has earned. */
  #owedMs = 0;
  #workingSinceMs: number | null = null;

  /** True while there may be something to rest for; costs nothing while there is not. */
  get isOrdered(): boolean {
    return this.#order !== null;
  }

  order(order: ThrottleOrder, nowMs: number): void {
    if (order.share <= 0) this.#order = null;
    else this.#order = { ...order, untilMs: nowMs + order.leaseMs };
    if (this.#order === null) this.#owedMs = 0;
    this.#workingSinceMs ??= nowMs;
  }

  stepMade(nowMs: number): void {
    const order = this.#present(nowMs);
    if (order === null) return;
    const workedMs = nowMs - (this.#workingSinceMs ?? nowMs);
    this.#workingSinceMs = nowMs;
    if (order.share < 1) {
      this.#owedMs = Math.min(LONGEST_REST_MS, this.#owedMs + (workedMs * order.share) / (1 - order.share));
    }
  }

  /** Why training stands still until it is told otherwise; null: it does not. */
  standing(nowMs: number): { readonly reason: string | null } | null {
    const order = this.#present(nowMs);
    return order === null || order.share < 1 ? null : { reason: order.reason };
  }

  /** How long to rest now; 0: not at all. */
  restMs(nowMs: number): number {
    return this.#present(nowMs) === null || this.#owedMs < LEAST_REST_MS ? 0 : this.#owedMs;
  }

  /** So much of what was owed is over. */
  rested(ms: number): void {
    this.#owedMs = Math.max(0, this.#owedMs - ms);
  }

  /** Training goes on: what was waited for was no work. */
  goesOn(nowMs: number): void {
    if (this.#order !== null) this.#workingSinceMs = nowMs;
  }

  #present(nowMs: number): ThrottleOrder | null {
    if (this.#order === null || nowMs < this.#order.untilMs) return this.#order;
    this.#order = null;
    this.#owedMs = 0;
    return null;
  }
}
