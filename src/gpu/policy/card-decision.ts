/** What a policy over a card's readings decides, as data. */

export type CardDecision =
  /** Training stands still for this share of the time; 0: full pace, 1: it waits. */
  | { readonly type: 'throttle'; readonly share: number; readonly reason: string }
  | { readonly type: 'save'; readonly isEmergency: boolean; readonly reason: string }
  /** The worker is asked to free what it can. */
  | { readonly type: 'release'; readonly reason: string }
  /** The worker is stopped with an emergency save, and launched again when the card is cool. */
  | { readonly type: 'stop'; readonly reason: string }
  | { readonly type: 'warn'; readonly code: string; readonly message: string; readonly hint: string }
  /** What the warning of this code told is over. */
  | { readonly type: 'warned'; readonly code: string; readonly message: string };

export interface Decided<S> {
  readonly state: S;
  readonly decisions: readonly CardDecision[];
}
