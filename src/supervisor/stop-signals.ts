/** Signals that ask for a stop, from the first moment of the process on. */
import type { StopSignalSource } from './options.ts';

/** Under npx one Ctrl-C arrives twice, a millisecond apart; an operator who means it again waits longer. */
const STOP_SIGNAL_DEBOUNCE_MS = 1000;

/**
 * Signals within {@link STOP_SIGNAL_DEBOUNCE_MS} of the last one that counted count once, whichever they are. Measured from
 * that one and not from the last arrival, so that hammering Ctrl-C still gets through.
 */
class SignalDebounce {
  #countedAtMs: number | null = null;

  /** @param nowMs a monotonic time */
  counts(nowMs: number): boolean {
    if (this.#countedAtMs !== null && nowMs - this.#countedAtMs < STOP_SIGNAL_DEBOUNCE_MS) return false;
    this.#countedAtMs = nowMs;
    return true;
  }
}

/** What of `process` is used. */
interface SignalEmitter {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  removeListener(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

interface StopSignalOptions {
  /**
   * True: SIGHUP means that the terminal is gone, and is a stop signal. False: it is handled and ignored, for Node undoes
   * `nohup`. Default: one of our standard streams is a terminal.
   */
  readonly terminal?: boolean;
  readonly now?: () => number;
  readonly emitter?: SignalEmitter;
}

const STOP_SIGNALS: readonly NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGTERM', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGUSR2'];

/** Installs the handlers. Signals that arrive before anyone listens are kept for the first listener. */
export class StopSignals implements StopSignalSource {
  readonly #emitter: SignalEmitter;
  readonly #now: () => number;
  readonly #debounce = new SignalDebounce();
  readonly #handlers: readonly [NodeJS.Signals, (signal: NodeJS.Signals) => void][];
  #queue: NodeJS.Signals[] = [];
  #receive: ((signal: NodeJS.Signals) => void) | null = null;

  constructor(options: StopSignalOptions = {}) {
    this.#emitter = options.emitter ?? process;
    this.#now = options.now ?? (() => performance.now());
    const terminal = options.terminal ?? hasTerminal();
    const accept = (signal: NodeJS.Signals): void => this.#accept(signal);
    const ignore = (): void => undefined;
    this.#handlers = [
      ...STOP_SIGNALS.map((signal): [NodeJS.Signals, typeof accept] => [signal, accept]),
      ['SIGHUP', terminal ? accept : ignore],
    ];
    for (const [signal, handler] of this.#handlers) this.#emitter.on(signal, handler);
  }

  listen(receive: (signal: NodeJS.Signals) => void): void {
    this.#receive = receive;
    const queue = this.#queue;
    this.#queue = [];
    for (const signal of queue) receive(signal);
  }

  close(): void {
    for (const [signal, handler] of this.#handlers) this.#emitter.removeListener(signal, handler);
    this.#receive = null;
  }

  #accept(signal: NodeJS.Signals): void {
    if (!this.#debounce.counts(this.#now())) return;
    if (this.#receive === null) this.#queue.push(signal);
    else this.#receive(signal);
  }
}

function hasTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY === true);
}
