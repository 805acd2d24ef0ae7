/** Does what the policies over the cards decide: slows the worker down, has it save or stopped, lets a launch wait. */
import type { CardInventory } from '../gpu/inventory.ts';
import type { CardDecision } from '../gpu/policy/card-decision.ts';
import {
  type CardFacts,
  type CardPolicyState,
  decideCard,
  isFitByHeat,
  NEW_CARD,
  whenWorkerBegins,
  whenWorkerEnded,
} from '../gpu/policy/card-policy.ts';
import { type CardProfile, type CardProfileName, PROFILES } from '../gpu/policy/card-profile.ts';
import { heatLimits } from '../gpu/policy/heat-limits.ts';
import type { GpuSample } from '../gpu/sample.ts';
import { sameBus } from '../gpu/xid.ts';
import type { CardAction, SupervisorEvent } from './events.ts';
import type { CardNeed } from './machine/effect.ts';
import { OnsetWarnings } from './onset-warnings.ts';

/** What the worker may be asked, and what the machine is told. */
export interface CardOrders {
  /** @param leaseMs how long it holds unless it is told again */
  readonly throttle: (share: number, leaseMs: number, reason: string) => void;
  readonly save: (kinds: readonly [string, ...string[]], reason: string) => void;
  readonly overheated: (reason: string) => void;
  readonly ready: () => void;
}

export interface CardControlOptions {
  /** Limits in place of the cards' own; null: those. */
  readonly profile: CardProfileName | null;
  readonly tell: (event: SupervisorEvent) => void;
  /** A clock that nobody sets. */
  readonly nowMs: () => number;
}

interface Held {
  readonly key: string;
  readonly facts: CardFacts;
  readonly state: CardPolicyState;
}

/** A slowed worker whose supervisor has died, or whose cards tell nothing any more, is at full pace again after this. */
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** A change of the pace that is worth a line; smaller ones are only told to the worker. */
const WORTH_A_LINE = 0.25;
/** The kind of a save that a card was the cause of. */
const KIND = 'gpu';

export class CardControl {
  readonly #options: CardControlOptions;
  readonly #profile: CardProfile | null;
  readonly #warnings: OnsetWarnings;
  #orders: CardOrders | null = null;
  #inventory: readonly CardInventory[] = [];
  #cards: readonly Held[] = [];
  /** Share that the worker keeps, and when it was told. */
  #share = 0;
  #reason = '';
  #toldMs = 0;
  #shownShare = 0;
  #isTraining = false;
  #awaits: CardNeed | null = null;

  constructor(options: CardControlOptions) {
    this.#options = options;
    this.#profile = options.profile === null ? null : PROFILES[options.profile];
    this.#warnings = new OnsetWarnings(options.tell);
  }

  attach(orders: CardOrders): void {
    this.#orders = orders;
  }

  /** Of the time, in which training stands still. */
  get share(): number {
    return this.#share;
  }

  /** The cards' own limits, as soon as they are known. */
  know(inventory: readonly CardInventory[]): void {
    this.#inventory = inventory;
    this.#cards = this.#cards.map((held) => ({ ...held, facts: { ...held.facts, ...this.#limitsOf(held.key, null) } }));
  }

  /** A new row of a card that the worker may use. */
  read(key: string, sample: GpuSample): void {
    const nowMs = this.#options.nowMs();
    const before = this.#cards.find((held) => held.key === key) ?? this.#meet(key, sample);
    const { state, decisions } = decideCard(before.state, sample, nowMs, before.facts);
    const held: Held = { ...before, state };
    this.#cards = [...this.#cards.filter((each) => each.key !== key), held];
    for (const decision of decisions) this.#perform(decision, held);
    this.#keepPace(decisions, held, nowMs);
    this.#lookIfReady();
  }

  /** Every event of the run. */
  take(event: SupervisorEvent): void {
    switch (event.name) {
      case 'attempt-started':
        this.#cards = this.#cards.map((held) => ({ ...held, state: whenWorkerBegins(held.state) }));
        break;
      case 'worker-connected':
        // What was told while nobody listened; one that was told by an earlier supervisor hears that it is over.
        if (this.#share > 0 || event.adopted) this.#order();
        break;
      case 'training-started':
        this.#isTraining = true;
        break;
      case 'worker-ended':
        this.#isTraining = false;
        this.#share = 0;
        this.#shownShare = 0;
        this.#cards = this.#cards.map((held) => ({ ...held, state: whenWorkerEnded(held.state) }));
        break;
      case 'session-ended':
        this.#awaits = null;
        break;
      default:
        break;
    }
  }

  /** A launch waits until the cards are fit for it. */
  await(need: CardNeed, reason: string): void {
    this.#awaits = need;
    this.#tell('awaited', null, null, reason);
    this.#lookIfReady();
  }

  /** The machine waits no longer, for whatever reason. */
  awaitNoMore(): void {
    this.#awaits = null;
  }

  #meet(key: string, sample: GpuSample): Held {
    const card = `GPU ${sample.values.index ?? key}`;
    return { key, facts: { card, ...this.#limitsOf(key, sample.values.busId) }, state: NEW_CARD };
  }

  #limitsOf(key: string, busId: string | null): Pick<CardFacts, 'heat'> {
    const own = this.#inventory.find(
      (card) => card.uuid === key || (busId !== null && card.busId !== null && sameBus(card.busId, busId)),
    );
    return { heat: heatLimits(own?.temperature ?? null, this.#profile) };
  }

  #perform(decision: CardDecision, held: Held): void {
    const { key } = held;
    switch (decision.type) {
      case 'warn':
        this.#warnings.begin(`${decision.code}:${key}`, decision.message, decision.hint);
        break;
      case 'warned':
        this.#warnings.end(`${decision.code}:${key}`, decision.message);
        break;
      case 'save':
        // Before training there is nothing to save.
        if (!this.#isTraining) break;
        this.#tell('saved', held, null, decision.reason);
        this.#orders?.save(decision.isEmergency ? ['emergency', KIND] : [KIND], decision.reason);
        break;
      case 'stop':
        this.#tell('stopped', held, null, decision.reason);
        this.#orders?.overheated(decision.reason);
        break;
      case 'release':
      case 'throttle':
        break;
    }
  }

  /** The hottest card sets the pace. */
  #keepPace(decisions: readonly CardDecision[], held: Held, nowMs: number): void {
    const share = Math.max(0, ...this.#cards.map(({ state }) => state.thermal.toldShare));
    const told = decisions.find((decision) => decision.type === 'throttle');
    if (told !== undefined) this.#reason = told.reason;
    if (share === this.#share && (share === 0 || nowMs - this.#toldMs < RENEW_MS)) return;
    this.#share = share;
    this.#order();
    const isTurn = share === 0 || share === 1 || this.#shownShare === 0 || this.#shownShare === 1;
    if (share === this.#shownShare || (!isTurn && Math.abs(share - this.#shownShare) < WORTH_A_LINE)) return;
    this.#shownShare = share;
    this.#tell(share === 0 ? 'freed' : share === 1 ? 'held' : 'slowed', held, share, this.#reason);
  }

  #order(): void {
    this.#toldMs = this.#options.nowMs();
    this.#orders?.throttle(this.#share, LEASE_MS, this.#reason);
  }

  #lookIfReady(): void {
    if (this.#awaits === null || !this.#cards.every(({ state, facts }) => isFitByHeat(state, facts))) return;
    this.#awaits = null;
    this.#tell('went-on', null, null, 'it is cool enough');
    this.#orders?.ready();
  }

  #tell(action: CardAction, held: Held | null, share: number | null, reason: string): void {
    const card = held?.facts.card ?? null;
    this.#options.tell({ name: 'gpu-acted', action, card, uuid: held?.key ?? null, share, reason });
  }
}
