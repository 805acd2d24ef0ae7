/**
 * How the process ends. Whatever ends it - a return, a throw, `process.exit`, a signal that Node can handle - a save
 * in flight is finished first, within bounds.
 */
import { constants } from 'node:os';
import type { Cause } from './cause.ts';
import type { StopOrder } from './orders.ts';

/** How long a process that was told to end waits for the saves in its hands. */
const FINISH_SAVE_MS = 10_000;
/** How long one waits that ends by an error of its own: nobody kills it meanwhile. */
const EMERGENCY_SAVE_MS = 60_000;
/** What Node ends with after an uncaught throw. */
const UNCAUGHT = 1;

export interface Endangered {
  /** Something was thrown that nobody caught: if the process ends by it, it is the reason. */
  thrown(error: unknown): void;
  /** Finishes the save in flight without the event loop; with a cause, an emergency save is tried. */
  finish(cause: Cause | null, timeoutMs: number): void;
  /** Alone: asks for an emergency save at the next step boundary. */
  stop(order: StopOrder): void;
  /** False while there is nothing to save, or a stop is under way. */
  canStop(): boolean;
}

export class Ending {
  readonly #alone: boolean;
  #endangered: Endangered | null = null;
  #refusalExitCode: number | null = null;
  #exiting = false;
  #stopAsked = false;
  /** Set where the code alone does not say it; `orderly`: nothing is to be saved any more. */
  #why: Cause | 'orderly' | null = null;

  constructor(alone: boolean) {
    this.#alone = alone;
  }

  /** True in the exit handler, where `process.exit` would cut it short. */
  get exiting(): boolean {
    return this.#exiting;
  }

  /** Installs the handlers; to be called once, before anything can go wrong. */
  install(): void {
    process.on('exit', (code) => this.#exit(code));
    // It only looks: the error goes its way, to handlers of the trainer's or to the end of the process.
    process.on('uncaughtExceptionMonitor', (error) => this.#endangered?.thrown(error));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#signal(signal));
    // Without a terminal SIGHUP is left to `nohup`, whose request to ignore it Node has undone.
    process.on('SIGHUP', () => {
      if (process.stdout.isTTY || process.stdin.isTTY) this.#signal('SIGHUP');
    });
  }

  /** From here on there is something to lose. */
  guard(endangered: Endangered): void {
    this.#endangered = endangered;
  }

  /** An NkatError was thrown to the trainer; if nobody catches it, the process ends with this code. */
  refusedWith(exitCode: number): void {
    this.#refusalExitCode = exitCode;
  }

  /** Ends the process with a line for the operator. */
  exit(code: number, message: string): never {
    process.stderr.write(`nkat-recover: ${message}\n`);
    this.#why = 'orderly';
    process.exit(code);
  }

  #exit(code: number): void {
    this.#exiting = true;
    if (code === UNCAUGHT && this.#refusalExitCode !== null) process.exitCode = this.#refusalExitCode;
    const signalled = this.#why !== null && this.#why !== 'orderly';
    this.#endangered?.finish(this.#causeOf(code), signalled ? FINISH_SAVE_MS : EMERGENCY_SAVE_MS);
  }

  #causeOf(code: number): Cause | null {
    if (this.#why === 'orderly' || (this.#why === null && code === 0)) return null;
    return this.#why ?? { reason: `exit code ${code}` };
  }

  /** Under a supervisor the save was asked for over the channel; a signal means that the time is up. */
  #signal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
    const code = 128 + constants.signals[signal];
    if (!this.#alone || this.#stopAsked || !this.#endangered?.canStop()) {
      // Whoever asks twice alone wants the end, not another save.
      this.#why = this.#stopAsked ? 'orderly' : { reason: signal };
      process.exit(code);
    }
    this.#stopAsked = true;
    process.stderr.write('nkat-recover: saving at the next step; once more to end without that\n');
    this.#endangered.stop({ request: null, reason: signal, unconfirmedExitCode: code });
  }
}
