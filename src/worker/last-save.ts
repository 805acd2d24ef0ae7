/** What is still saved and said while the process ends: nothing but synchronous work is left then. */
import type { Saver } from './saver.ts';
import type { SessionLink } from './session-link.ts';

/** How long an ending process waits until its last report was sent. */
const LAST_WORDS_MS = 500;

export interface LastSaveOptions {
  readonly saver: Saver;
  readonly link: SessionLink;
}

export class LastSave {
  readonly #options: LastSaveOptions;

  constructor(options: LastSaveOptions) {
    this.#options = options;
  }

  /** Finishes the save in flight, within bounds, and sends what was reported last. */
  finish(timeoutMs: number): void {
    const { saver, link } = this.#options;
    if (!saver.idle) {
      try {
        saver.hurry();
      } catch {
        // The state can no longer be read; the saver has given the save up and said so.
      }
      link.drainUntil(() => saver.idle, timeoutMs);
    }
    // How far it came is news too: the supervisor classifies a trainer that never made a step differently.
    link.flushNow(LAST_WORDS_MS);
  }
}
