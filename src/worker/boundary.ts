/** What happens at a step boundary besides the step: saves of every sort, pauses, and the stop. */
import { NkatError } from '../errors.ts';
import { PHASES, type Phase } from '../protocol/messages.ts';
import type { Marked } from './boundary-mark.ts';
import type { ControlBlock } from './control-block.ts';
import { Listeners } from './listeners.ts';
import { memoryFigures } from './memory-figures.ts';
import type { Orders, SaveOrder, StopOrder } from './orders.ts';
import type { Periodic } from './periodic.ts';
import { askToRelease } from './release.ts';
import type { Room } from './room.ts';
import type { Interruption } from './run.ts';
import type { RunMemory } from './run-memory.ts';
import type { SaveHandle, SaveOutcome } from './save-in-flight.ts';
import type { Saver } from './saver.ts';
import type { SessionLink } from './session-link.ts';
import type { TrainingState } from './state.ts';
import { restAwhile, waitAwhile } from './waiting.ts';

/** Stopped with a verified save, run again to continue. */
const EXIT_STOPPED = 75;
/** A final checkpoint that fails its read-back is made once more. */
const FINAL_TRIES = 2;
const TRAIN = PHASES.indexOf('train');

const NO_ROOM: Interruption = { reason: 'no room for checkpoints' };

export interface SaveWish {
  readonly kinds: readonly string[];
  readonly reason: string | null;
  readonly requests: readonly string[];
}

type Reading = 'over-steps' | 'at-once';

export interface BoundaryOptions {
  readonly control: ControlBlock;
  readonly link: SessionLink;
  readonly saver: Saver;
  readonly memory: RunMemory;
  readonly orders: Orders;
  readonly periodic: () => Periodic;
  readonly room: Room;
}

export class Boundary {
  readonly #options: BoundaryOptions;
  readonly listeners: Listeners;
  state: TrainingState | null = null;
  #stopping = false;

  constructor(options: BoundaryOptions) {
    this.#options = options;
    this.listeners = new Listeners(options.link);
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** True when the next step boundary has more to do than to note the step. */
  get calls(): boolean {
    const { throttle } = this.#options.orders;
    return this.#options.orders.any || this.#waitsForRoom || (throttle.isOrdered && this.#rests(performance.now()));
  }

  #rests(nowMs: number): boolean {
    const { throttle } = this.#options.orders;
    return throttle.standing(nowMs) !== null || throttle.restMs(nowMs) > 0;
  }

  get hasNoRoom(): boolean {
    return this.#options.room.closed;
  }

  /** The disk is full, and the operator wants no training that cannot be saved. */
  get #waitsForRoom(): boolean {
    const { room, periodic } = this.#options;
    return room.closed && this.state !== null && periodic().policy.onFullDisk === 'pause';
  }

  /** Obeys what was ordered; returns when training may go on. */
  async obey(): Promise<void> {
    const { orders, link, control, saver } = this.#options;
    let waited = false;
    for (;;) {
      const saves = orders.takeSaves();
      // While training is held no step would read it.
      const standing = orders.throttle.standing(performance.now());
      const isHeld = orders.paused !== null || this.#waitsForRoom || standing !== null;
      if (saves.length > 0) await this.#obeySaves(saves, isHeld ? 'at-once' : 'over-steps');
      if (orders.stop !== null) await this.#stop(orders.stop);
      const release = orders.takeRelease();
      if (release !== null) await askToRelease({ listeners: this.listeners, state: this.state, link }, release);
      const paused = orders.paused ?? (this.#waitsForRoom ? NO_ROOM : standing);
      const { changed } = orders;
      if (paused === null) {
        if (await restAwhile({ control, link }, orders.throttle, changed)) continue;
        break;
      }
      saver.hurry();
      if (!waited) await this.listeners.tell('pause', paused);
      waited = true;
      if (paused === NO_ROOM) await this.#waitForRoom(changed);
      else await waitAwhile({ control, link }, paused === standing ? 'heat' : 'pause', [changed]);
    }
    orders.throttle.goesOn(performance.now());
    control.beat(process.hrtime.bigint());
  }

  /**
   * A periodic save: begun now, read over the next steps. Passed over while another is in flight.
   * @returns what training has to wait for where saves are not to run beside it
   */
  periodic(nowMs: number): Promise<unknown> | undefined {
    const { saver } = this.#options;
    const periodic = this.#options.periodic();
    if (this.state === null) return undefined;
    const wish: SaveWish = { kinds: ['auto'], reason: null, requests: [] };
    if (this.#options.room.closed) periodic.owe();
    else if (!periodic.runsBeside) return this.saveNow(wish, 'over-steps');
    else if (!saver.takesPeriodic) periodic.passedOver(nowMs);
    else {
      periodic.begun(nowMs);
      this.begin(wish);
    }
    return undefined;
  }

  /**
   * A save of this boundary, whose snapshot is taken now. Read over the next steps, or before this resolves (`at-once`:
   * the trainer waits for it anyway, or has no time).
   */
  async saveNow(wish: SaveWish, reading: Reading): Promise<SaveHandle> {
    const { saver, memory } = this.#options;
    const { step, epoch } = memory.position;
    let handle = saver.join(step, epoch, wish.kinds, wish.reason, wish.requests);
    if (handle === null) {
      while (reading === 'at-once' ? saver.busy : !saver.hasPlace) await this.waitForDisk(saver.firstEnded());
      handle = this.begin(wish);
      this.#options.periodic().begun(performance.now());
    }
    const { runsBeside } = this.#options.periodic();
    if (reading === 'over-steps' && runsBeside) return handle;
    saver.hurry();
    await this.waitForDisk(handle.handedOver);
    if (!runsBeside) await this.waitForDisk(handle.outcome);
    return handle;
  }

  /** The trainer waits for a save of its own. A slow disk is no stuck trainer: the limit of slow phases holds. */
  async waitForDisk<T>(promise: Promise<T>): Promise<T> {
    const { control, link } = this.#options;
    const before = PHASES[control.phase] ?? 'train';
    this.phase('save');
    try {
      return await link.holding(promise);
    } finally {
      // Unless a trainer that did not wait has begun something else.
      if (PHASES[control.phase] === 'save') this.phase(before);
    }
  }

  /** The final checkpoint, durable and read back. @throws NkatError when it could not be made. */
  async final(): Promise<Extract<SaveOutcome, { status: 'durable' }>> {
    const { link, orders } = this.#options;
    let problem = 'it did not verify';
    for (let attempt = 1; attempt <= FINAL_TRIES; ) {
      const requests = orders.takeSaves();
      const wish = {
        kinds: [...new Set(['final', ...requests.flatMap(({ kinds }) => kinds)])],
        reason: requests.find(({ reason }) => reason !== null)?.reason ?? null,
        requests: requests.map(({ request }) => request),
      };
      const handle = await this.saveNow(wish, 'at-once');
      const outcome = await link.holding(handle.outcome);
      if (outcome.status === 'durable') {
        if (await link.holding(handle.settled)) return outcome;
      } else if (outcome.code === 'no-space') {
        await this.#roomForFinal();
        continue;
      } else problem = outcome.message;
      attempt++;
    }
    throw new NkatError(`the final checkpoint could not be saved: ${problem}`, {
      code: 'io',
      operation: 'complete the run',
      hint: 'Run the same line again: training goes on from the newest checkpoint.',
    });
  }

  /** Shows the phase to the supervisor; a change of phase is a sign of life. */
  phase(phase: Phase): void {
    const { control, link } = this.#options;
    control.beat(process.hrtime.bigint());
    const index = PHASES.indexOf(phase);
    if (control.phase === index) return;
    control.phase = index;
    link.post({ type: 'phase', phase });
  }

  /** A step was made, so whatever was said before is over. */
  training(): void {
    if (this.#options.control.phase !== TRAIN) this.phase('train');
  }

  /** All is trained: to give up for want of room would throw it away, in either mode. */
  async #roomForFinal(): Promise<void> {
    const { orders, room, control, link } = this.#options;
    while (room.closed) {
      const { changed } = orders;
      if (orders.stop !== null) await this.#stop(orders.stop);
      await waitAwhile({ control, link }, 'space', [changed, room.changed]);
    }
  }

  /** One round: until something is ordered, a second has passed, or there is room, which is used at once. */
  async #waitForRoom(changed: Promise<void>): Promise<void> {
    const { room, control, link } = this.#options;
    if (room.closed) await waitAwhile({ control, link }, 'space', [changed, room.changed]);
    if (room.closed || this.#options.orders.any) return;
    const handle = await this.saveNow({ kinds: ['auto'], reason: null, requests: [] }, 'at-once');
    await this.waitForDisk(handle.outcome);
  }

  async #obeySaves(orders: readonly SaveOrder[], reading: Reading): Promise<void> {
    const wish: SaveWish = {
      kinds: [...new Set(orders.flatMap(({ kinds }) => kinds))],
      reason: orders.find(({ reason }) => reason !== null)?.reason ?? null,
      requests: orders.map(({ request }) => request),
    };
    if (this.state === null) this.#refuse(wish);
    else if (wish.kinds.includes('emergency')) await this.#emergency(wish);
    else await this.saveNow(wish, reading);
  }

  /** As soon as can be: what is in flight is of this boundary, or gives way. */
  #emergency(wish: SaveWish): Promise<SaveHandle> {
    const { saver, memory } = this.#options;
    const { step, epoch } = memory.position;
    saver.supersede(step, epoch);
    return this.saveNow(wish, 'at-once');
  }

  async #stop(order: StopOrder): Promise<void> {
    const { link, control } = this.#options;
    this.#stopping = true;
    await this.listeners.tell('stop', { reason: order.reason });
    const phase = control.phase;
    this.phase('save');
    const wish = {
      kinds: ['emergency'],
      reason: order.reason,
      requests: order.request === null ? [] : [order.request],
    };
    let verified = false;
    if (this.state === null) this.#refuse(wish);
    else {
      const handle = await this.#emergency(wish);
      const outcome = await link.holding(handle.outcome);
      verified = outcome.status === 'durable' && (await link.holding(handle.settled));
    }
    control.phase = phase;
    link.post({ type: 'ended', state: 'interrupted' });
    await link.flush();
    process.exit(verified ? EXIT_STOPPED : order.unconfirmedExitCode);
  }

  /** Takes the snapshot: of this boundary, or of the last one where `marked` holds the rest of it. */
  begin(wish: SaveWish, marked: Marked | null = null): SaveHandle {
    const { saver, memory } = this.#options;
    const { state } = this;
    if (state === null) throw noState();
    const { step, epoch } = memory.position;
    return saver.begin({
      ...wish,
      step,
      epoch,
      metrics: memory.metrics,
      memory: wish.kinds.includes('emergency') ? memoryFigures(state) : {},
      backend: state.backend,
      versions: state.versions,
      content: () => memory.content(state, marked),
    });
  }

  #refuse({ kinds, requests }: SaveWish): void {
    const { step } = this.#options.memory.position;
    const message = 'the trainer has no state to save: it did not call run.restore';
    this.#options.link.post({ type: 'save-refused', step, kinds, requests, code: 'no-state', message });
  }
}

export function noState(): NkatError {
  return new NkatError('there is nothing to save yet', {
    code: 'usage',
    operation: 'save',
    hint: 'Call `await run.restore(state)` first.',
  });
}
