/**
 * Ends a worker that has had no supervisor for too long (`--orphan-limit`): an emergency save and exit 75 through the
 * training loop. A loop that is blocked cannot save; it gets as long again, at most {@link BLOCKED_MAX_MS}, then the process
 * is killed and its newest checkpoint counts. A note beside its exit record tells the next supervisor why.
 */
import { writeFileSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';
import { startTimer, type Timer } from '../../timer.ts';

/** The longest grace of a stop. */
const BLOCKED_MAX_MS = 900_000;

export interface OrphanLimitOptions {
  /** `NKAT_NOTE_FILE` of the supervisor that launched us. */
  readonly noteFile: string | undefined;
  /** Asks the training loop to save and to end. */
  readonly stop: (reason: string) => void;
  /** Ends this process at once. */
  readonly kill: () => void;
}

export class OrphanLimit {
  readonly #options: OrphanLimitOptions;
  #limitMs: number | null = null;
  #timer: Timer | null = null;

  constructor(options: OrphanLimitOptions) {
    this.#options = options;
  }

  /** A supervisor is there. @param limitMs what it wants; null: never */
  attended(limitMs: number | null): void {
    this.#limitMs = limitMs;
    this.#clear();
  }

  /** The supervisor is gone; told again while it already was, nothing changes. */
  abandoned(): void {
    if (this.#limitMs === null || this.#timer !== null) return;
    const limitMs = this.#limitMs;
    this.#timer = startTimer(() => this.#end(limitMs), limitMs);
  }

  #end(limitMs: number): void {
    const seconds = Math.round(limitMs / 1_000);
    const reason = `no supervisor for ${seconds} s (--orphan-limit)`;
    this.#note(reason);
    this.#options.stop(reason);
    this.#timer = startTimer(() => this.#options.kill(), Math.min(BLOCKED_MAX_MS, limitMs));
  }

  /** Without it the end is told as one without a known reason: no cause to go on training. */
  #note(reason: string): void {
    const { noteFile } = this.#options;
    if (!noteFile) return;
    try {
      writeFileSync(noteFile, `${reason}\n`, { mode: 0o600 });
    } catch (error) {
      if (errnoOf(error) === null) throw error;
    }
  }

  #clear(): void {
    this.#timer?.clear();
    this.#timer = null;
  }
}
