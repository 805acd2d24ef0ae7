/**
 * How the process ends. Whatever ends it - a return, a throw, `process.exit`, a signal that Node can handle - a save
 * in flight is finished first, within bounds.
 */
import type { NkatError } from '../errors.ts';
import type { Cause } from './cause.ts';
import { type EndingSignal, endingSignals, exitCodeAfter } from './ending-signals.ts';
import type { StopOrder } from './orders.ts';

/** How long a process that was told to end waits for the saves in its hands. */
const FINISH_SAVE_MS = 10_000;
/** How long one waits that ends by an error of its own: nobody kills it meanwhile. */
const EMERGENCY_SAVE_MS = 60_000;
/** A shutdown signals the supervisor and us at once: what comes this near to the supervisor's request is the same wish. */
const SAME_WISH_MS = 1_000;
/** sysexits EX_CONFIG: as it is set up, or was changed, it cannot go on, and no restart will mend that. */
export const EXIT_CONFIGURATION = 78;
/** What Node ends with after an uncaught throw. */
const UNCAUGHT = 1;

export interface Endangered {
  /** Something was thrown that nobody caught: if the process ends by it, it is the reason. */
  thrown(error: unknown): void;
  /** Finishes the save in flight without the event loop; with a cause, an emergency save is tried. */
  finish(cause: Cause | null, timeoutMs: number): void;
  /** Alone: asks for an emergency save at the next step boundary. */
  stop(order: StopOrder): void;
  /** When a stop was asked for, as `process.hrtime.bigint()`; null: not yet. */
  stopArrivedAt(): bigint | null;
  /** False while there is nothing to save, or a stop is under way. */
  canStop(): boolean;
}

/** What was thrown to the trainer, and how the process ends if nobody catches it. */
interface Refused {
  readonly error: NkatError;
  readonly exitCode: number;
  /** For the operator, in one line. */
  readonly words: string;
}

export class Ending {
  readonly #alone: boolean;
  #endangered: Endangered | null = null;
  #refusal: Refused | null = null;
  #exiting = false;
  #stopAsked = false;
  #waitsForWish = false;
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
    // It looks: the error goes its way, to handlers of the trainer's or to the end of the process.
    process.on('uncaughtExceptionMonitor', (error) => {
      this.#endangered?.thrown(error);
      this.#endIfRefused(error);
    });
    const { always, withTerminal } = endingSignals(process.platform);
    for (const signal of always) process.on(signal, () => this.#signal(signal));
    for (const signal of withTerminal) {
      process.on(signal, () => {
        if (process.stdout.isTTY || process.stdin.isTTY) this.#signal(signal);
      });
    }
  }

  /** From here on there is something to lose. */
  guard(endangered: Endangered): void {
    this.#endangered = endangered;
  }

  /** This error is thrown to the trainer; if nobody catches it, the process ends with this code and words. */
  refusedWith(exitCode: number, error: NkatError, words = wordsOf(error)): void {
    this.#refusal = { error, exitCode, words };
  }

  /** Ends the process with a line for the operator. */
  exit(code: number, message: string): never {
    process.stderr.write(`nkat-recover: ${message}\n`);
    this.#why = 'orderly';
    process.exit(code);
  }

  /** A stack tells an operator nothing; a handler of the trainer's comes first. */
  #endIfRefused(error: unknown): void {
    if (this.#refusal === null || error !== this.#refusal.error) return;
    if (process.listenerCount('uncaughtException') > 0) return;
    process.stderr.write(`nkat-recover: ${this.#refusal.words}\n`);
    process.exit(this.#refusal.exitCode);
  }

  #exit(code: number): void {
    this.#exiting = true;
    if (code === UNCAUGHT && this.#refusal !== null) process.exitCode = this.#refusal.exitCode;
    const signalled = this.#why !== null && this.#why !== 'orderly';
    this.#endangered?.finish(this.#causeOf(code), signalled ? FINISH_SAVE_MS : EMERGENCY_SAVE_MS);
  }

  #causeOf(code: number): Cause | null {
    if (this.#why === 'orderly' || (this.#why === null && code === 0)) return null;
    return this.#why ?? { reason: `exit code ${code}` };
  }

  #aloneSignalled(signal: EndingSignal): void {
    if (this.#stopAsked || !this.#endangered?.canStop()) this.#end(signal);
    this.#stopAsked = true;
    process.stderr.write('nkat-recover: saving at the next step; once more to end without that\n');
    const unconfirmedExitCode = exitCodeAfter(signal);
    this.#endangered.stop({ request: null, reason: signal, unconfirmedExitCode, arrivedAt: process.hrtime.bigint() });
  }

  /**
   * Under a supervisor a save is asked for over the channel, and a signal after that means that the time is up. One that comes with
   * the request or before it was sent to everybody: the request is on its way, and is waited for.
   */
  #supervisedSignalled(signal: EndingSignal): void {
    const arrivedAt = this.#endangered?.stopArrivedAt() ?? null;
    if (arrivedAt !== null) {
      if (process.hrtime.bigint() - arrivedAt >= BigInt(SAME_WISH_MS) * 1_000_000n) this.#end(signal);
      return;
    }
    if (this.#waitsForWish || !this.#endangered?.canStop()) this.#end(signal);
    this.#waitsForWish = true;
    setTimeout(() => {
      if (this.#endangered?.stopArrivedAt() === null) this.#end(signal);
    }, SAME_WISH_MS).unref();
  }

  #signal(signal: EndingSignal): void {
    if (this.#alone) this.#aloneSignalled(signal);
    else this.#supervisedSignalled(signal);
  }

  #end(signal: EndingSignal): never {
    // Whoever asks twice alone wants the end, not another save.
    this.#why = this.#stopAsked ? 'orderly' : { reason: signal };
    process.exit(exitCodeAfter(signal));
  }
}

function wordsOf({ message, path, hint }: NkatError): string {
  const place = path === undefined || message.includes(path) ? '' : ` (${path})`;
  return hint === undefined ? message + place : `${message}${place}. ${hint}`;
}
