/**
 * The training loop's handle on the SDK's thread: posts to it, takes what it posted (as events, or synchronously where
 * the loop may not turn), and replaces it when it crashes.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { NkatError } from '../errors.ts';
import type { ControlBlock } from './control-block.ts';
import type { ThreadMode, ThreadStart, ToLoop, ToThread } from './thread/messages.ts';

/** A thread that crashes more often than this within {@link CRASH_WINDOW_MS} is not restarted again. */
const MAX_CRASHES = 3;
const CRASH_WINDOW_MS = 60_000;

export interface ThreadOwner {
  receive(message: ToLoop): void;
  /** The thread died with what it had in hand. `replaced`: another took its place; else it was given up. */
  crashed(why: string, replaced: boolean): void;
  /** What a replacement goes on with; null before the first welcome. */
  resumed(): ThreadStart['resumed'];
}

export interface SdkThreadOptions {
  readonly script: URL;
  readonly mode: ThreadMode;
  readonly control: ControlBlock;
  readonly owner: ThreadOwner;
}

export class SdkThread {
  readonly #options: SdkThreadOptions;
  #worker: Worker;
  #port: MessagePort;
  #seen = 0;
  #holds = 0;
  #crashes: number[] = [];
  #dead = false;

  constructor(options: SdkThreadOptions) {
    this.#options = options;
    [this.#worker, this.#port] = this.#launch();
  }

  /** True when the thread has posted something that `drain` has not seen. One atomic load. */
  get pending(): boolean {
    return this.#options.control.inbox !== this.#seen;
  }

  get dead(): boolean {
    return this.#dead;
  }

  post(message: ToThread): void {
    this.#port.postMessage(message);
  }

  /** Takes all that was posted so far, without the event loop. */
  drain(): void {
    // The count first: what is posted after it is found by the next drain.
    this.#seen = this.#options.control.inbox;
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      this.#options.owner.receive(received.message as ToLoop);
    }
  }

  /** Blocks, taking messages as they come, until `isDone` or the time is up. For the exit handler. */
  drainUntil(isDone: () => boolean, timeoutMs: number): void {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      this.drain();
      const left = deadline - performance.now();
      if (isDone() || left <= 0 || this.#dead) return;
      this.#options.control.waitForInbox(this.#seen, left);
    }
  }

  /** Keeps the process alive while the promise, which needs the thread's answer, is pending. */
  async holding<T>(promise: Promise<T>): Promise<T> {
    if (this.#holds++ === 0) this.#worker.ref();
    try {
      return await promise;
    } finally {
      if (--this.#holds === 0) this.#worker.unref();
    }
  }

  #launch(): [Worker, MessagePort] {
    const { port1, port2 } = new MessageChannel();
    const { script, mode, control, owner } = this.#options;
    const start: ThreadStart = { mode, control: control.buffer, resumed: owner.resumed() };
    const worker = new Worker(script, {
      name: 'nkat-recover',
      // Without the loaders of the trainer: half the start time.
      execArgv: [],
      workerData: { start, port: port2 },
      transferList: [port2],
    });
    let error: Error | null = null;
    worker.on('error', (cause) => {
      error = cause instanceof Error ? cause : new Error(String(cause));
    });
    worker.on('exit', (code) => this.#ended(worker, error?.stack ?? `it ended with code ${code}`));
    port1.on('message', (message: ToLoop) => owner.receive(message));
    // A trainer that has nothing left to do ends; only what it waits for keeps it (see `holding`).
    port1.unref();
    if (this.#holds === 0) worker.unref();
    return [worker, port1];
  }

  #ended(worker: Worker, why: string): void {
    if (worker !== this.#worker) return;
    // What it posted before it died still counts.
    this.drain();
    this.#port.close();
    const now = performance.now();
    this.#crashes = [...this.#crashes.filter((at) => now - at < CRASH_WINDOW_MS), now];
    this.#dead = this.#crashes.length > MAX_CRASHES;
    if (!this.#dead) [this.#worker, this.#port] = this.#launch();
    this.#options.owner.crashed(why, !this.#dead);
  }
}

/** What every wait for the thread fails with once it was given up. */
export function threadGivenUp(why: string): NkatError {
  return new NkatError(`the thread of the SDK crashed ${MAX_CRASHES + 1} times within a minute: ${why}`, {
    code: 'internal',
    operation: 'keep the SDK running',
  });
}
