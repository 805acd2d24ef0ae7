/** Does what the policies over the cards decide: slows the worker down, has it save or stopped, lets a launch wait. */
import { namelessKeys } from '../gpu/card-book.ts';
import { type CardInventory, cardOf } from '../gpu/inventory.ts';
import type { CardDecision } from '../gpu/policy/card-decision.ts';
import { type CardLoad, LOAD_UNKNOWN, loadOf } from '../gpu/policy/card-load.ts';
import { lossOfLines, lossOfTrouble, lossOfXids, xidWords } from '../gpu/policy/card-loss.ts';
import {
  type CardFacts,
  decideCard,
  NEW_CARD,
  whenUnused,
  whenWorkerBegins,
  whenWorkerEnded,
} from '../gpu/policy/card-policy.ts';
import { type CardProfile, type CardProfileName, PROFILES } from '../gpu/policy/card-profile.ts';
import { heatLimits } from '../gpu/policy/heat-limits.ts';
import type { GpuSample } from '../gpu/sample.ts';
import type { SmiTrouble } from '../gpu/smi-trouble.ts';
import { readCardXids } from './card-evidence.ts';
import { CardGate, isWords } from './card-gate.ts';
import { lossNow } from './card-loss-now.ts';
import type { NamedCards } from './card-names.ts';
import type { CardOrders } from './card-orders.ts';
import { CardPace } from './card-pace.ts';
import type { CardUse } from './card-use.ts';
import type { CardAction, SupervisorEvent } from './events.ts';
import { type Awaited, type Held, isReady, NEEDS, READY, UNREAD, withRow } from './held-card.ts';
import { WORKER_CONFIG, WORKER_FATAL } from './machine/classify.ts';
import type { CardNeed } from './machine/effect.ts';
import { OnsetWarnings } from './onset-warnings.ts';
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

/** A worker that speaks of its card may have died before that had its next row. */
const SPEAKS_OF_CARD = /CUDA|cuDNN|cuBLAS|NCCL|NVML|NVRM|\bGPU\b/i;
const NEXT_ROW_MS = 2_500;
/** The kind of a save that a card was the cause of. */
const KIND = 'gpu';

export class CardControl {
  readonly #options: CardControlOptions;
  readonly #profile: CardProfile | null;
  readonly #warnings: OnsetWarnings;
  readonly #pace: CardPace;
  readonly #gate: CardGate;
  #orders: CardOrders | null = null;
  #inventory: readonly CardInventory[] = [];
  #cards: readonly Held[] = [];
  #isTraining = false;
  #awaits: Awaited | null = null;
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
    this.#warnings = new OnsetWarnings(options.tell);
    this.#gate = new CardGate(options.use);
    const throttle: CardOrders['throttle'] = (...order) => this.#orders?.throttle(...order);
    this.#pace = new CardPace({ throttle, nowMs: options.nowMs });
  }

  attach(orders: CardOrders): void {
    this.#orders = orders;
  }

  /** For its checkpoints. */
  tellNames(cards: NamedCards): void {
    this.#orders?.named(cards);
  }

  /** Of the time, in which training stands still. */
  get share(): number {
    return this.#pace.share;
  }

  /** The cards' own limits, as soon as they are known. */
  know(inventory: readonly CardInventory[]): void {
    this.#inventory = inventory;
    this.#cards = this.#cards.map((held) => ({
      ...held,
      facts: { ...held.facts, ...this.#limitsOf(held.key, held.busId) },
    }));
  }

  /** What is wrong with nvidia-smi itself; null: nothing any more. */
  hear(trouble: SmiTrouble | null): void {
    this.#trouble = trouble;
  }

  /** What the cards have to say of a worker's end; null: nothing, or none was ever seen. */
  async evidence({ code }: WorkerEnd, lastLines: readonly string[]): Promise<CardEvidence | null> {
    const isSilent = this.#cards.length === 0 && (this.#trouble === null || lossOfTrouble(this.#trouble) === null);
    if (isSilent || (code !== null && CLEAR_CODES.includes(code))) return null;
    const own = lossOfLines(lastLines);
    // A card that it did not use may be lost without being the cause.
    if (this.#used().length === 0 && this.#options.use.isDeclaredElsewhere(null)) return { loss: own, xid: null };
    const buses = this.#used().flatMap(({ busId }) => busId ?? []);
    const xids = await readCardXids(this.#launchedUs, buses);
    const seen = lossNow(this.#used(), this.#trouble) ?? lossOfXids(xids) ?? own;
    if (seen === null && lastLines.some((line) => SPEAKS_OF_CARD.test(line))) await this.#nextRow();
    return { loss: seen ?? lossNow(this.#used(), this.#trouble), xid: xidWords(xids) };
  }

  /** A new row of a card that the worker may use. */
  read(key: string, sample: GpuSample): void {
    const nowMs = this.#options.nowMs();
    const before = this.#cards.find((held) => held.key === key) ?? this.#meet(key, sample);
    const { state, decisions } = decideCard(before.state, sample, nowMs, before.facts);
    const nameless = key === sample.values.uuid ? namelessKeys(sample) : [];
    const held = withRow({ ...before, state }, sample, nowMs, this.#stepAgeMs(nowMs));
    this.#cards = [...this.#cards.filter((each) => each.key !== key && !nameless.includes(each.key)), held];
    for (const decision of decisions.filter(isWords)) this.#perform(decision, held);
    this.#gate.pass(
      key,
      decisions.filter((decision) => !isWords(decision)),
      {
        open: (passed) => {
          for (const decision of passed) this.#perform(decision, held);
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
    this.#lookIfReady(nowMs);
  }

  /** Of the host's memory: it is done as for a card's. */
  relieve(decision: CardDecision): void {
    this.#perform(decision, null);
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
        this.#isTraining = true;
        this.#step = event.step;
        break;
      case 'progress':
        // A step of the newest half second or so.
        if (event.step > this.#step) this.#stepAtMs = this.#options.nowMs();
        this.#step = event.step;
        break;
      case 'worker-ended':
        this.#isTraining = false;
        this.#stepAtMs = null;
        this.#load = 'unknown';
        this.#pace.end();
        this.#gate.forget();
        this.#cards = this.#cards.map((held) => ({ ...held, state: whenWorkerEnded(held.state), load: LOAD_UNKNOWN }));
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
    const sinceMs = this.#options.nowMs();
    this.#awaits = { need, sinceMs };
    this.#cards = this.#cards.map((held) => ({ ...held, healthyRows: 0 }));
    this.#tell('awaited', null, null, `${NEEDS[need]} (${reason})`);
    this.#lookIfReady(sinceMs);
  }

  /** The machine waits no longer, for whatever reason. */
  awaitNoMore(): void {
    this.#awaits = null;
  }

  #meet(key: string, sample: GpuSample): Held {
    const card = `GPU ${sample.values.index ?? key}`;
    return {
      key,
      facts: { card, profile: this.#profile, ...this.#limitsOf(key, sample.values.busId) },
      state: NEW_CARD,
      ...UNREAD,
      busId: sample.values.busId,
    };
  }

  #limitsOf(key: string, busId: string | null): Pick<CardFacts, 'heat'> {
    const own = cardOf(this.#inventory, key, busId);
    return { heat: heatLimits(own?.temperature ?? null, this.#profile) };
  }

  #perform(decision: CardDecision, held: Held | null): void {
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
        if (!this.#isTraining) break;
        this.#tell('saved', held, null, decision.reason);
        this.#orders?.save(decision.isEmergency ? ['emergency', KIND] : [KIND], decision.reason);
        break;
      case 'stop':
        this.#tell('stopped', held, null, decision.reason);
        this.#orders?.overheated(decision.reason);
        break;
      case 'release':
        if (!this.#isTraining) break;
        this.#tell('released', held, null, decision.reason);
        this.#orders?.release(decision.reason);
        break;
      case 'throttle':
        break;
    }
  }

  /** The hottest card sets the pace. */
  #keepPace(decisions: readonly CardDecision[], held: Held): void {
    const used = this.#cards.filter(({ key }) => this.#gate.isOpen(key));
    const share = Math.max(0, ...used.map(({ state }) => state.thermal.toldShare));
    const told = decisions.find((decision) => decision.type === 'throttle');
    const action = this.#pace.keep(share, told?.reason ?? null);
    if (action !== null) this.#tell(action, held, share, this.#pace.reason);
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
    this.#orders?.loaded(load);
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

  #lookIfReady(nowMs: number): void {
    if (this.#awaits === null) return;
    const { need } = this.#awaits;
    if (!isReady(this.#used(), this.#awaits, this.#trouble, nowMs)) return;
    this.#awaits = null;
    this.#tell('went-on', null, null, READY[need]);
    this.#orders?.ready();
  }

  #tell(action: CardAction, held: Held | null, share: number | null, reason: string): void {
    const card = held?.facts.card ?? null;
    this.#options.tell({ name: 'gpu-acted', action, card, uuid: held?.key ?? null, share, reason });
  }
}

/** Exit codes that say why it ended: all is done, it was asked to, it must not be run again, it is set up wrongly. */
const CLEAR_CODES: readonly number[] = [0, 75, WORKER_FATAL, WORKER_CONFIG];

function uptimeUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
