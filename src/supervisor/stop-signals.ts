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
   * `nohup`. Default: one of our standard streams is a terminal. On Windows it always is a stop signal.
   */
  readonly terminal?: boolean;
  readonly platform?: NodeJS.Platform;
  readonly now?: () => number;
  readonly emitter?: SignalEmitter;
}

/**
 * On Windows SIGHUP says that the console window was closed, wherever our streams lead: there is no `nohup` there, and Windows
 * ends us soon after it.
 */
function stopSignals(platform: NodeJS.Platform, terminal: boolean): readonly NodeJS.Signals[] {
  if (platform === 'win32') return ['SIGINT', 'SIGTERM', 'SIGBREAK', 'SIGHUP'];
  return ['SIGINT', 'SIGTERM', 'SIGUSR2', ...(terminal ? (['SIGHUP'] as const) : [])];
}

/**
 * For an emergency save after a console window was closed. Source: Node's "Signal events": Windows ends the process about 10 s
 * after SIGHUP, whatever it does; what is left is for writing down how it ended.
 */
const CONSOLE_CLOSED_MS = 8_000;

/** How long the system lets us live after this signal, in ms; null: as long as the stop takes. */
export function limitAfter(signal: NodeJS.Signals, platform: NodeJS.Platform = process.platform): number | null {
  return platform === 'win32' && signal === 'SIGHUP' ? CONSOLE_CLOSED_MS : null;
}

/** Installs the handlers. Signals that arrive before anyone listens are kept for the first listener. */
export class StopSignals implements StopSignalSource {
  readonly #emitter: SignalEmitter;
  readonly #now: () => number;
  readonly #debounce = new SignalDebounce();
  readonly #handlers: [NodeJS.Signals, (signal: NodeJS.Signals) => void][];
  #queue: NodeJS.Signals[] = [];
  #receive: ((signal: NodeJS.Signals) => void) | null = null;

  constructor(options: StopSignalOptions = {}) {
    this.#emitter = options.emitter ?? process;
    this.#now = options.now ?? (() => performance.now());
    const terminal = options.terminal ?? hasTerminal();
    const accept = (signal: NodeJS.Signals): void => this.#accept(signal);
    const accepted = stopSignals(options.platform ?? process.platform, terminal);
    this.#handlers = accepted.map((signal): [NodeJS.Signals, typeof accept] => [signal, accept]);
    if (!accepted.includes('SIGHUP')) this.#handlers.push(['SIGHUP', () => undefined]);
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
