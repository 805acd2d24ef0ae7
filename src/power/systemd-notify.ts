/**
 * What systemd is told of a service (sd_notify(3)). Node has no datagram sockets of this kind, so systemd's own program
 * sends it; what comes while one is being sent is gathered, the newest of each word.
 */
import { messageOf } from '../errors.ts';
import { runProgram } from '../run-program.ts';

/** A save under way asks for this much more at a time, and asks again in good time. */
const EXTEND_MS = 30_000;
const EXTEND_AGAIN_MS = 10_000;
/** A status is for people: what changes faster is not sent faster. */
const STATUS_MS = 10_000;
const SEND_MS = 10_000;

export interface NotifyOptions {
  readonly socket: string;
  /** How often systemd wants to hear that we live; null: it does not. */
  readonly watchdogMs: number | null;
  /** Once: nothing more is sent. */
  readonly onProblem: (message: string) => void;
  readonly environment: NodeJS.ProcessEnv;
}

export class SystemdNotify {
  readonly #options: NotifyOptions;
  readonly #pending = new Map<string, string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #sending: Promise<void> | null = null;
  #isBroken = false;
  #status: string | null = null;
  #statusTimer: NodeJS.Timeout | null = null;
  #isReady = false;
  #isStopping = false;

  constructor(options: NotifyOptions) {
    this.#options = options;
    // Half of it, as sd_watchdog_enabled(3) asks for.
    if (options.watchdogMs !== null) this.#every(options.watchdogMs / 2, () => this.#put('WATCHDOG', '1'));
  }

  /** Null where no systemd listens. Its variables are for us alone and are taken out: no child is to speak in our name. */
  static take(environment: NodeJS.ProcessEnv, onProblem: (message: string) => void): SystemdNotify | null {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog, WATCHDOG_PID: pid } = environment;
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
    if (!socket) return null;
    const isOurs = pid === undefined || Number(pid) === process.pid;
    const watchdogMs = isOurs && /^\d{1,15}$/.test(watchdog ?? '') ? Number(watchdog) / 1_000 : null;
    return new SystemdNotify({ socket, watchdogMs: watchdogMs || null, onProblem, environment });
  }

  ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#put('READY', '1');
  }

  status(text: string): void {
    this.#status = text.replaceAll(/\s+/g, ' ');
    this.#statusTimer ??= setTimeout(() => {
      this.#statusTimer = null;
      if (this.#status !== null) this.#put('STATUS', this.#status);
    }, STATUS_MS).unref();
  }

  /** From now on more time is asked for until {@link close}: a save must not be killed. */
  stopping(status: string): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#status = null;
    this.#pending.set('STOPPING', '1');
    this.#pending.set('STATUS', status);
    const extend = (): void => this.#put('EXTEND_TIMEOUT_USEC', String(EXTEND_MS * 1_000));
    extend();
    this.#every(EXTEND_AGAIN_MS, extend);
  }

  /** Everything that was to be told has been sent, or could not be. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#statusTimer !== null) clearTimeout(this.#statusTimer);
    while (this.#sending !== null) await this.#sending;
  }

  #every(ms: number, what: () => void): void {
    this.#timers.add(setInterval(what, ms).unref());
  }

  #put(name: string, value: string): void {
    if (this.#isBroken) return;
    this.#pending.set(name, value);
    this.#sending ??= this.#send();
  }

  async #send(): Promise<void> {
    while (this.#pending.size > 0) {
      const words = [...this.#pending].map(([name, value]) => `${name}=${value}`);
      this.#pending.clear();
      const environment = { ...this.#options.environment, NOTIFY_SOCKET: this.#options.socket };
      const { failure, stderr } = await runProgram(['systemd-notify', ...words], environment, SEND_MS);
      if (failure === null) continue;
      this.#isBroken = true;
      this.#pending.clear();
      this.#options.onProblem(`systemd could not be told how it goes: ${stderr || messageOf(failure)}`);
    }
    this.#sending = null;
  }
}
