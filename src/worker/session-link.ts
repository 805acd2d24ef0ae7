/** The training loop's side of the conversation with the SDK's thread: welcome, loading, orders, flushes, crashes. */
import { NkatError } from '../errors.ts';
import type { ControlBlock } from './control-block.ts';
import { type Deferred, deferred } from './deferred.ts';
import type { Ending } from './ending.ts';
import type { Orders } from './orders.ts';
import { type Loaded, Restoring } from './restoring.ts';
import { SdkThread, threadGivenUp } from './sdk-thread.ts';
import type { Refusal, SaveNews, SessionFacts, ThreadMode, ThreadStart, ToLoop, ToThread } from './thread/messages.ts';

export interface LinkOptions {
  readonly script: URL;
  readonly mode: ThreadMode;
  readonly control: ControlBlock;
  readonly orders: Orders;
  readonly ending: Ending;
  /** What the thread reports of saves. */
  readonly onSave: (message: SaveNews) => void;
  /** A new supervisor brought a new policy. */
  readonly onFacts: (facts: SessionFacts) => void;
  /** The thread died; what it had in hand is lost. */
  readonly onCrash: (why: string) => void;
}

export class SessionLink {
  readonly #options: LinkOptions;
  readonly #thread: SdkThread;
  readonly #welcome: Deferred<SessionFacts> = deferred();
  readonly #flushes = new Map<number, Deferred<void>>();
  #facts: SessionFacts | null = null;
  #restoring: Restoring | null = null;
  #lastSaved: number | null = null;
  #nextFlush = 1;
  #broken: NkatError | null = null;
  #ended = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#thread = new SdkThread({
      script: options.script,
      mode: options.mode,
      control: options.control,
      owner: {
        receive: (message) => this.#receive(message),
        crashed: (why, replaced) => this.#crashed(why, replaced),
        resumed: () => this.#resumed(),
      },
    });
  }

  /** True when the thread has posted something new. */
  get pending(): boolean {
    return this.#thread.pending;
  }

  /** Set when there is no SDK any more: every further step throws it. */
  get broken(): NkatError | null {
    return this.#broken;
  }

  /** @throws NkatError `session-held`, `no-verified-checkpoint`, `io` when a trainer that runs alone may not train. */
  welcomed(): Promise<SessionFacts> {
    return this.holding(this.#welcome.promise);
  }

  load(): Promise<Loaded> {
    const restoring = new Restoring();
    this.#restoring = restoring;
    this.post({ type: 'load' });
    return this.holding(restoring.loaded);
  }

  /** Resolves when all that was posted before was done and sent. */
  flush(): Promise<void> {
    const id = this.#nextFlush++;
    const flushed = deferred<void>();
    this.#flushes.set(id, flushed);
    this.post({ type: 'flush', id });
    return this.holding(flushed.promise);
  }

  /** In the exit handler: the same without the event loop, bounded. */
  flushNow(timeoutMs: number): void {
    const id = this.#nextFlush++;
    const flushed = deferred<void>();
    this.#flushes.set(id, flushed);
    this.post({ type: 'flush', id });
    this.drainUntil(() => !this.#flushes.has(id), timeoutMs);
  }

  post(message: ToThread): void {
    this.#thread.post(message);
  }

  drain(): void {
    this.#thread.drain();
  }

  /** Without the event loop; gives up early when the thread says that nothing more will come. */
  drainUntil(isDone: () => boolean, timeoutMs: number): void {
    this.#thread.drainUntil(() => isDone() || this.#ended, timeoutMs);
  }

  /** Keeps the process alive while it waits for the thread. */
  holding<T>(promise: Promise<T>): Promise<T> {
    return this.#thread.holding(promise);
  }

  #receive(message: ToLoop): void {
    const { orders } = this.#options;
    switch (message.type) {
      case 'welcome':
        this.#facts = message.facts;
        this.#welcome.resolve(message.facts);
        return;
      case 'rewelcome':
        this.#facts = message.facts;
        this.#options.onFacts(message.facts);
        return;
      case 'loaded':
        if (this.#facts !== null) this.#facts = { ...this.#facts, resume: message.resume };
        this.#load(message);
        return;
      case 'tensor':
      case 'load-again':
      case 'fresh':
        this.#load(message);
        return;
      case 'save-requested':
        orders.orderSave(message);
        return;
      case 'stop-requested':
        orders.orderStop({
          request: message.request,
          reason: message.reason,
          unconfirmedExitCode: 75,
          arrivedAt: message.arrivedAt,
        });
        return;
      case 'pause':
        orders.pause(message.reason);
        return;
      case 'continue':
        orders.goOn();
        return;
      case 'release':
        orders.orderRelease(message.reason);
        return;
      case 'throttle':
        orders.orderThrottle(message, performance.now());
        return;
      case 'save-durable':
        this.#lastSaved = message.sequence;
        this.#options.onSave(message);
        return;
      case 'save-ready':
      case 'save-slot':
      case 'save-settled':
      case 'save-failed':
      case 'room':
        this.#options.onSave(message);
        return;
      case 'flushed':
        this.#flushes.get(message.id)?.resolve();
        this.#flushes.delete(message.id);
        return;
      case 'exit':
        this.#exit(message);
        return;
    }
  }

  #load(message: Parameters<Restoring['receive']>[0]): void {
    this.#restoring?.receive(message);
    if (message.type === 'loaded' || message.type === 'fresh') this.#restoring = null;
  }

  #exit({ code, message, refusal }: Extract<ToLoop, { type: 'exit' }>): void {
    this.#ended = true;
    const { ending } = this.#options;
    if (ending.exiting) return;
    if (refusal === null) ending.exit(code, message);
    else this.#refused(code, message, refusal);
  }

  #refused(code: number, message: string, { code: word, operation, path, hint }: Refusal): void {
    const error = new NkatError(message, {
      code: word,
      operation,
      ...(path === null ? {} : { path }),
      ...(hint === null ? {} : { hint }),
    });
    this.#options.ending.refusedWith(code, error);
    this.#welcome.reject(error);
    this.#restoring?.fail(error);
  }

  #resumed(): ThreadStart['resumed'] {
    return this.#facts === null ? null : { facts: this.#facts, lastSaved: this.#lastSaved };
  }

  #crashed(why: string, replaced: boolean): void {
    if (!replaced) {
      this.#broken = threadGivenUp(why);
      this.#welcome.reject(this.#broken);
      this.#restoring?.fail(this.#broken);
      for (const flush of this.#flushes.values()) flush.reject(this.#broken);
    } else {
      this.post({ type: 'notice', level: 'error', message: `the thread of the SDK crashed and was restarted: ${why}` });
      if (this.#restoring !== null) {
        this.#restoring.receive({ type: 'load-again' });
        this.post({ type: 'load' });
      }
      for (const id of this.#flushes.keys()) this.post({ type: 'flush', id });
    }
    this.#options.onCrash(why);
  }
}
