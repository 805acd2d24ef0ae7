/** What the outside asks of the training loop; obeyed at its next step boundary. */
import { type Deferred, deferred } from './deferred.ts';
import { Throttle, type ThrottleOrder } from './throttle.ts';

export interface SaveOrder {
  readonly request: string;
  readonly kinds: readonly string[];
  readonly reason: string | null;
}

export interface StopOrder {
  /** Null: a signal, not a supervisor. */
  readonly request: string | null;
  readonly reason: string | null;
  /** Exit code when no save is confirmed. */
  readonly unconfirmedExitCode: number;
  /** `process.hrtime.bigint()` when it reached this process. */
  readonly arrivedAt: bigint;
}

export class Orders {
  readonly throttle = new Throttle();
  #saves: SaveOrder[] = [];
  #stop: StopOrder | null = null;
  #paused: { readonly reason: string | null } | null = null;
  #release: { readonly reason: string | null } | null = null;
  #changed: Deferred<void> = deferred();

  /** True when the next step boundary has more to do than to note the step. */
  get any(): boolean {
    return this.#saves.length > 0 || this.#stop !== null || this.#paused !== null || this.#release !== null;
  }

  get stop(): StopOrder | null {
    return this.#stop;
  }

  get paused(): { readonly reason: string | null } | null {
    return this.#paused;
  }

  /** Resolves at the next order. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  orderSave(order: SaveOrder): void {
    this.#saves.push(order);
    this.#signal();
  }

  /** The first stop counts; a later one changes nothing. */
  orderStop(order: StopOrder): void {
    this.#stop ??= order;
    this.#signal();
  }

  pause(reason: string | null): void {
    this.#paused = { reason };
    this.#signal();
  }

  goOn(): void {
    this.#paused = null;
    this.#signal();
  }

  /** @param nowMs monotonic; its lease counts from here */
  orderThrottle(order: ThrottleOrder, nowMs: number): void {
    this.throttle.order(order, nowMs);
    this.#signal();
  }

  orderRelease(reason: string | null): void {
    this.#release = { reason };
    this.#signal();
  }

  takeRelease(): { readonly reason: string | null } | null {
    const release = this.#release;
    this.#release = null;
    return release;
  }

  takeSaves(): SaveOrder[] {
    const saves = this.#saves;
    this.#saves = [];
    return saves;
  }

  #signal(): void {
    const changed = this.#changed;
    this.#changed = deferred();
    changed.resolve();
  }
}
