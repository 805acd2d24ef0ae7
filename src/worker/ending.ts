/**
 * How the process ends. Whatever ends it - a return, a throw, `process.exit`, a signal that Node can handle - a save
 * in flight is finished first, within bounds.
 */
import { constants } from 'node:os';
import type { StopOrder } from './orders.ts';

/** How long an ending process waits for the save in flight. */
const FINISH_SAVE_MS = 10_000;
/** What Node ends with after an uncaught throw. */
const UNCAUGHT = 1;

export interface Endangered {
  /** Finishes the save in flight without the event loop. */
  finishSave(timeoutMs: number): void;
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
    process.exit(code);
  }

  #exit(code: number): void {
    this.#exiting = true;
    if (code === UNCAUGHT && this.#refusalExitCode !== null) process.exitCode = this.#refusalExitCode;
    this.#endangered?.finishSave(FINISH_SAVE_MS);
  }

  /** Under a supervisor the save was asked for over the channel; a signal means that the time is up. */
  #signal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
    const code = 128 + constants.signals[signal];
    if (!this.#alone || this.#stopAsked || !this.#endangered?.canStop()) process.exit(code);
    this.#stopAsked = true;
    process.stderr.write('nkat-recover: saving at the next step; once more to end without that\n');
    this.#endangered.stop({ request: null, reason: signal, unconfirmedExitCode: code });
  }
}
