/** Does what the policies over the cards decide: slows the worker down, has it save or stopped, lets a launch wait. */
import { namelessKeys } from '../gpu/card-book.ts';
import type { CardInventory } from '../gpu/inventory.ts';
import type { CardDecision } from '../gpu/policy/card-decision.ts';
import { type CardLoad, LOAD_UNKNOWN, loadOf } from '../gpu/policy/card-load.ts';
import { decideCard, whenUnused, whenWorkerBegins, whenWorkerEnded } from '../gpu/policy/card-policy.ts';
import { type CardProfile, type CardProfileName, PROFILES } from '../gpu/policy/card-profile.ts';
import type { GpuSample } from '../gpu/sample.ts';
import type { SmiTrouble } from '../gpu/smi-trouble.ts';
import { CardActs } from './card-acts.ts';
import { readCardXids } from './card-evidence.ts';
import { CardGate, isWords } from './card-gate.ts';
import type { NamedCards } from './card-names.ts';
import type { CardOrders } from './card-orders.ts';
import { CardPace } from './card-pace.ts';
import type { CardUse } from './card-use.ts';
import { CardWait } from './card-wait.ts';
import { cardsAtEnd } from './cards-at-end.ts';
import type { SupervisorEvent } from './events.ts';
import { type CardLimits, type Held, metCard, withLimits, withRow } from './held-card.ts';
import type { CardNeed } from './machine/effect.ts';
import type { CardEvidence, WorkerEnd } from './worker-end.ts';

export interface CardControlOptions {
  /** Limits in place of the cards' own; null: those. */
  readonly profile: CardProfileName | null;
  readonly tell: (event: SupervisorEvent) => void;
  /** A clock that nobody sets. */
  readonly nowMs: () => number;
  /** Which cards the worker computes on. */
  readonly use: CardUse;
}

/** A row comes each second; one that is late is not waited for any longer. */
const NEXT_ROW_MS = 2_500;

export class CardControl {
  readonly #options: CardControlOptions;
  readonly #profile: CardProfile | null;
  readonly #acts: CardActs;
  readonly #pace: CardPace;
  readonly #gate: CardGate;
  readonly #wait: CardWait;
  #inventory: readonly CardInventory[] = [];
  #cards: readonly Held[] = [];
  #trouble: SmiTrouble | null = null;
  /** Since boot; of an adopted worker the adoption. */
  #launchedUs = uptimeUs();
  #onRow: (() => void) | null = null;
  #step = 0;
  /** When the newest step was heard of; null: none yet of this worker. */
  #stepAtMs: number | null = null;
  #load: CardLoad = 'unknown';

  constructor(options: CardControlOptions) {
    this.#options = options;
    this.#profile = options.profile === null ? null : PROFILES[options.profile];
    this.#acts = new CardActs(options.tell);
    this.#gate = new CardGate(options.use);
    this.#wait = new CardWait(this.#acts);
    const throttle: CardOrders['throttle'] = (...order) => this.#acts.orders?.throttle(...order);
    this.#pace = new CardPace({ throttle, nowMs: options.nowMs });
  }

  attach(orders: CardOrders): void {
    this.#acts.orders = orders;
  }

  /** For its checkpoints. */
  tellNames(cards: NamedCards): void {
    this.#acts.orders?.named(cards);
  }

  /** Of the time, in which training stands still. */
  get share(): number {
    return this.#pace.share;
  }

  /** The cards' own limits, as soon as they are known. */
  know(inventory: readonly CardInventory[]): void {
    this.#inventory = inventory;
    this.#cards = this.#cards.map((held) => withLimits(held, this.#limits()));
  }

  /** What is wrong with nvidia-smi itself; null: nothing any more. */
  hear(trouble: SmiTrouble | null): void {
    this.#trouble = trouble;
  }

  /** What the cards have to say of a worker's end; null: nothing, or none was ever seen. */
  evidence(end: WorkerEnd, lastLines: readonly string[]): Promise<CardEvidence | null> {
    return cardsAtEnd(end, lastLines, {
      seen: () => this.#cards.length,
      used: () => this.#used(),
      trouble: () => this.#trouble,
      isElsewhere: this.#options.use.isDeclaredElsewhere(null),
      xids: (buses) => readCardXids(this.#launchedUs, buses),
      nextRow: () => this.#nextRow(),
    });
  }

  /** A new row of a card that the worker may use. */
  read(key: string, sample: GpuSample): void {
    const nowMs = this.#options.nowMs();
    const before = this.#cards.find((held) => held.key === key) ?? metCard(key, sample, this.#limits());
    const { state, decisions } = decideCard(before.state, sample, nowMs, before.facts);
    const nameless = key === sample.values.uuid ? namelessKeys(sample) : [];
    const held = withRow({ ...before, state }, sample, nowMs, this.#stepAgeMs(nowMs));
    this.#cards = [...this.#cards.filter((each) => each.key !== key && !nameless.includes(each.key)), held];
    for (const decision of decisions.filter(isWords)) this.#acts.perform(decision, held);
    this.#gate.pass(
      key,
      decisions.filter((decision) => !isWords(decision)),
      {
        open: (passed) => {
          for (const decision of passed) this.#acts.perform(decision, held);
          this.#keepPace(passed, held);
        },
        closed: () => {
          const unused = (card: Held): Held => (card.key === key ? { ...card, state: whenUnused(card.state) } : card);
          this.#cards = this.#cards.map(unused);
        },
      },
    );
    this.#keepPace([], held);
    this.#noteLoad(nowMs);
    this.#onRow?.();
    this.#wait.look(this.#used(), this.#trouble, nowMs);
  }

  /** Of the host's memory: it is done as for a card's. */
  relieve(decision: CardDecision): void {
    this.#acts.perform(decision, null);
  }

  /** Every event of the run. */
  take(event: SupervisorEvent): void {
    switch (event.name) {
      case 'attempt-started':
        this.#launchedUs = uptimeUs();
        this.#cards = this.#cards.map((held) => ({
          ...held,
          state: whenWorkerBegins(held.state),
          memoryBeforeMib: held.memoryUsedMib,
        }));
        break;
      case 'worker-connected':
        // What was told while nobody listened; one that was told by an earlier supervisor hears that it is over.
        if (this.#pace.share > 0 || event.adopted) this.#pace.order();
        break;
      case 'training-started':
        this.#acts.isTraining = true;
        this.#step = event.step;
        break;
      case 'progress':
        // A step of the newest half second or so.
        if (event.step > this.#step) this.#stepAtMs = this.#options.nowMs();
        this.#step = event.step;
        break;
      case 'worker-ended':
        this.#acts.isTraining = false;
        this.#stepAtMs = null;
        this.#load = 'unknown';
        this.#pace.end();
        this.#gate.forget();
        this.#cards = this.#cards.map((held) => ({ ...held, state: whenWorkerEnded(held.state), load: LOAD_UNKNOWN }));
        break;
      case 'session-ended':
        this.#wait.end();
        break;
      default:
        break;
    }
  }

  /** A launch waits until the cards are fit for it. */
  await(need: CardNeed, reason: string): void {
    const nowMs = this.#options.nowMs();
    this.#cards = this.#cards.map((held) => ({ ...held, healthyRows: 0 }));
    this.#wait.begin(need, reason, nowMs);
    this.#wait.look(this.#used(), this.#trouble, nowMs);
  }

  /** The machine waits no longer, for whatever reason. */
  awaitNoMore(): void {
    this.#wait.end();
  }

  #limits(): CardLimits {
    return { profile: this.#profile, inventory: this.#inventory };
  }

  /** The hottest card sets the pace. */
  #keepPace(decisions: readonly CardDecision[], held: Held): void {
    const share = Math.max(0, ...this.#cards.map((card) => this.#shareOf(card)));
    const told = decisions.find((decision) => decision.type === 'throttle');
    const action = this.#pace.keep(share, told?.reason ?? null);
    if (action !== null) this.#acts.tell(action, held, share, this.#pace.reason);
  }

  /** Until the driver has answered whether a new worker uses the card, the pace that was told is kept: not more, not at once none. */
  #shareOf({ key, state }: Held): number {
    const { toldShare } = state.thermal;
    if (this.#gate.isOpen(key)) return toldShare;
    return this.#gate.isUnknown(key) ? Math.min(toldShare, this.#pace.share) : 0;
  }

  /** Without those that the worker is known not to use. */
  #used(): readonly Held[] {
    return this.#cards.filter(({ key }) => !this.#options.use.isDeclaredElsewhere(key));
  }

  #stepAgeMs(nowMs: number): number | null {
    return this.#stepAtMs === null ? null : nowMs - this.#stepAtMs;
  }

  #noteLoad(nowMs: number): void {
    const states = this.#used().map(({ load }) => load);
    const load = loadOf(states, nowMs);
    if (load === this.#load) return;
    this.#load = load;
    this.#acts.orders?.loaded(load);
  }

  #nextRow(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#onRow?.(), NEXT_ROW_MS);
      this.#onRow = () => {
        clearTimeout(timer);
        this.#onRow = null;
        resolve();
      };
    });
  }
}

function uptimeUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
