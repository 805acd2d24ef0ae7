/** Does what was decided about a card: warns, saves, stops, asks for memory. Each but a warning is told as `gpu-acted`. */
import type { CardDecision } from '../gpu/policy/card-decision.ts';
import type { CardOrders } from './card-orders.ts';
import type { CardAction, SupervisorEvent } from './events.ts';
import type { Held } from './held-card.ts';
import { OnsetWarnings } from './onset-warnings.ts';

/** The kind of a save that a card was the cause of. */
const KIND = 'gpu';

export class CardActs {
  readonly #tell: (event: SupervisorEvent) => void;
  readonly #warnings: OnsetWarnings;
  /** Null: there is nobody yet who could be ordered. */
  orders: CardOrders | null = null;
  isTraining = false;

  constructor(tell: (event: SupervisorEvent) => void) {
    this.#tell = tell;
    this.#warnings = new OnsetWarnings(tell);
  }

  /** @param held the card that it was decided about; null: the host's memory */
  perform(decision: CardDecision, held: Held | null): void {
    const key = held?.key ?? 'host';
    switch (decision.type) {
      case 'warn':
        this.#warnings.begin(`${decision.code}:${key}`, decision.message, decision.hint);
        break;
      case 'warned':
        this.#warnings.end(`${decision.code}:${key}`, decision.message);
        break;
      case 'save':
        // Before training there is nothing to save.
        if (!this.isTraining) break;
        this.tell('saved', held, null, decision.reason);
        this.orders?.save(decision.isEmergency ? ['emergency', KIND] : [KIND], decision.reason);
        break;
      case 'stop':
        this.tell('stopped', held, null, decision.reason);
        this.orders?.overheated(decision.reason);
        break;
      case 'release':
        if (!this.isTraining) break;
        this.tell('released', held, null, decision.reason);
        this.orders?.release(decision.reason);
        break;
      case 'throttle':
        // The hottest card sets the pace: it is kept for all of them together.
        break;
    }
  }

  /** @param share of the time in which training stands still; null: this is not about its pace */
  tell(action: CardAction, held: Held | null, share: number | null, reason: string): void {
    const card = held?.facts.card ?? null;
    this.#tell({ name: 'gpu-acted', action, card, uuid: held?.key ?? null, share, reason });
  }
}
