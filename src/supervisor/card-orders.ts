/** The hands of the card control: messages to the worker, events for the machine. */
import type { CardLoad } from '../gpu/policy/card-load.ts';
import type { NamedCards } from './card-names.ts';
import type { Happening } from './machine/event.ts';
import type { WorkerLine } from './worker-line.ts';

/** What the worker may be asked, and what the machine is told. */
export interface CardOrders {
  /** @param leaseMs how long it holds unless it is told again */
  readonly throttle: (share: number, leaseMs: number, reason: string) => void;
  readonly save: (kinds: readonly [string, ...string[]], reason: string) => void;
  /** The trainer is to free what it can. */
  readonly release: (reason: string) => void;
  /** How much the worker's cards have to do: for the time limits of a worker that makes no steps. */
  readonly loaded: (load: CardLoad) => void;
  readonly overheated: (reason: string) => void;
  readonly ready: () => void;
  readonly named: (cards: NamedCards) => void;
}

/** @param line asked for at each order: it is made after the control */
export function cardOrders(
  line: () => WorkerLine,
  save: CardOrders['save'],
  dispatch: (happening: Happening) => void,
): CardOrders {
  return {
    save,
    throttle: (share, leaseMs, reason) => void line().send({ type: 'throttle', share, leaseMs, reason }),
    release: (reason) => void line().send({ type: 'release', reason }),
    loaded: (load) => dispatch({ type: 'card-load', load }),
    overheated: (reason) => dispatch({ type: 'card-overheated', reason }),
    ready: () => dispatch({ type: 'card-ready' }),
    named: (cards) => void line().send({ type: 'cards', ...cards }),
  };
}
