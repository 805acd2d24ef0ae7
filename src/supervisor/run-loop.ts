/**
 * Feeds the machine: one event at a time, in order; what a transition changed is durable before its effects run, so a
 * supervisor that is killed in between finds where it was.
 */
import type { Effect } from './machine/effect.ts';
import type { Happening, MachineEvent } from './machine/event.ts';
import type { MachineSettings } from './machine/settings.ts';
import type { Ended, State } from './machine/state.ts';
import { nextDeadlineMs, transition } from './machine/transition.ts';

/** Longest sleep of the timer; also how soon a stopped clock is noticed. */
const TICK_MS = 1_000;
/** A tick this much late means that we, not the worker, were asleep (suspend, SIGSTOP). */
const LATE_MS = 2_000;

export interface Actor {
  /** Makes a transition durable. Awaited before its effects run. */
  record(before: State, event: MachineEvent, after: State): Promise<void>;
  /** Carries out one effect. Awaited; whatever takes long reports back through `dispatch`. */
  perform(effect: Effect, state: State): Promise<void>;
}

export class RunLoop {
  #state: State;
  readonly #settings: MachineSettings;
  readonly #actor: Actor;
  readonly #monotonicMs: () => number;
  readonly #queue: MachineEvent[] = [];
  /** Resolves when the machine has ended; rejects when an effect failed in a way that is no event. */
  readonly ended: Promise<Ended>;
  #resolve: (state: Ended) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #timer: NodeJS.Timeout | null = null;
  #lastTickMs: number;
  #working = false;

  /** @param monotonicMs a clock that wall-clock changes do not move. */
  constructor(initial: State, settings: MachineSettings, actor: Actor, monotonicMs: () => number) {
    this.#state = initial;
    this.#settings = settings;
    this.#actor = actor;
    this.#monotonicMs = monotonicMs;
    this.#lastTickMs = monotonicMs();
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#schedule();
  }

  get state(): State {
    return this.#state;
  }

  /** Events that have happened and were not decided on yet. */
  get backlog(): number {
    return this.#queue.length;
  }

  dispatch(happening: Happening): void {
    this.#take(happening, this.#monotonicMs());
  }

  #take(happening: Happening, nowMs: number): void {
    this.#queue.push({ ...happening, nowMs });
    if (!this.#working) void this.#drain();
  }

  /** Ends the loop: something failed that no event describes. */
  fail(error: unknown): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#reject(error);
  }

  async #drain(): Promise<void> {
    this.#working = true;
    try {
      for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
        const before = this.#state;
        const { state, effects } = transition(before, event, this.#settings);
        this.#state = state;
        await this.#actor.record(before, event, state);
        for (const effect of effects) await this.#actor.perform(effect, state);
        if (state.kind === 'ended') this.#finish(state);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#working = false;
    }
  }

  #finish(state: Ended): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#resolve(state);
  }

  #schedule(): void {
    this.#timer = setTimeout(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    // Messages that waited in the channel are read first: this turn of the event loop delivers them, the next judges.
    setImmediate(() => {
      if (this.#timer === null) return;
      // One look at the clock for gap and deadline: a stop that fell between two would count as the worker's silence.
      const nowMs = this.#monotonicMs();
      const gapMs = nowMs - this.#lastTickMs - TICK_MS;
      this.#lastTickMs = nowMs;
      if (gapMs > LATE_MS) this.#take({ type: 'woke-late', gapMs }, nowMs);
      const deadlineMs = nextDeadlineMs(this.#state, this.#settings);
      if (deadlineMs !== null && nowMs >= deadlineMs) this.#take({ type: 'time-passed' }, nowMs);
      this.#schedule();
    });
  }
}
